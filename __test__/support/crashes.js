'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { temporaryDirectory } = require('./changing')
const { child, until } = require('./process')
const { server } = require('./world')

/** What the process itself does right before it is killed. */
const OWN = {
  'env-file': ['staged', 'promoted', 'persisted: done', 'resolved', 'retired'],
  function: ['staged', 'asked to keep it', 'half written', 'kept', 'promoted', 'resolved', 'retired'],
  source: ['half written', 'staged', 'promoted', 'persisted: done', 'retired'],
}

/** When it is killed from outside, at random around these moments. */
const OUTER = ['asking', 'answered', 'writing', 'soon', 'later']

/** How the secret that a new process finds is kept. */
const KINDS = Object.keys(OWN)

/** What else there is in an env file. */
const [HEAD, TAIL] = ['# mine\nAPP_ID=', '\nOTHER=1\n']

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
function chance(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Has a process rotate and kills it; so often, each time at another moment. What comes after it,
 * with the same configuration, must get a token without help, also where the provider has let the
 * old secret end: it does that only once the promotion was told. Returns where it died, what it had
 * told by then, whether the new secret was in the file, and what a write left behind.
 */
async function crashes({ kind, kills, seed }) {
  const random = chance(seed)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const moments = [...OWN[kind], ...OUTER]
  const world = new World(kind, await server({ clients: { app: 'secret 0' } }), random)
  let victim = world.start()
  const deaths = []
  for (let number = 1; number <= kills; number++) {
    // Each of them first, then any.
    const moment = moments[number - 1] ?? pick(random() < 0.6 ? OUTER : OWN[kind])
    try {
      const before = await world.isReady(victim)
      const secret = `secret ${number}`
      const death = await world.kill(victim, moment, { before, secret })
      victim = world.start()
      deaths.push({ moment, ...death })
    } catch (error) {
      throw new Error(`seed ${seed}, ${kind}, kill ${number} (${moment}): ${error.message}`, { cause: error })
    }
  }
  await world.isReady(victim)
  victim.kill('SIGKILL')
  await victim.ended
  return deaths
}

/** A provider, files, and a process at a time. */
class World {
  #kind
  #server
  #random
  #directory = temporaryDirectory()
  /** What the process that runs now must not be refused, since it is what was kept. */
  #kept
  #seen = 0

  constructor(kind, provider, random) {
    this.#kind = kind
    this.#server = provider
    this.#random = random
    const first = 'secret 0'
    fs.writeFileSync(
      this.#file('current'),
      kind === 'env-file' ? `${HEAD}app\nAPP_SECRET="${first}"${TAIL}` : first,
    )
  }

  start() {
    const [current, next] = [this.#file('current'), this.#file('next')]
    return child('rotating.js', { tokenUrl: this.#server.tokenUrl, kind: this.#kind, current, next })
  }

  /** Resolves with the secret that it has its token by. */
  async isReady(process) {
    await process.said('ready\n')
    const requests = this.#server.requests.slice(this.#seen)
    const { presented } = requests.find(({ status }) => status === 200)
    if (this.#kept !== undefined && requests[0].presented !== this.#kept) {
      throw new Error(`the first secret that it presented was "${requests[0].presented}"`)
    }
    return presented
  }

  /** Lets it rotate and die; what there is of it then. */
  async kill(process, moment, { before, secret }) {
    this.#server.setSecrets('app', [before, secret])
    await this.#repair(process, before)
    const isOwn = OWN[this.#kind].includes(moment)
    const watcher = isOwn ? undefined : this.#arm(process, moment)
    process.tell(JSON.stringify({ secret, fatal: isOwn ? moment : null }))
    const { signal, stdout, stderr } = await process.ended
    watcher?.close()
    // What it had sent is there by then.
    await until(() => this.#server.connections === 0)
    if (signal !== 'SIGKILL') throw new Error(`ended with ${signal}: ${stdout}${stderr}`)
    const lines = stdout.split('\n')
    const told = lines.slice(lines.indexOf('told') + 1, -1)
    this.#end({ told, before, secret })
    this.#seen = this.#server.requests.length
    const text = fs.readFileSync(this.#file('current'), 'utf8')
    const [begin, end] = this.#kind === 'env-file' ? [HEAD, TAIL] : ['secret', '']
    if (!text.startsWith(begin) || !text.endsWith(end)) throw new Error(`the file is ${JSON.stringify(text)}`)
    return { told, isKept: text.includes(secret), left: this.#left() }
  }

  /** What a write that was cut off has left behind. */
  #left() {
    return fs.readdirSync(this.#directory).filter((name) => !['current', 'next'].includes(name))
  }

  /** Where the other source is what helped, somebody looks after the one that did not. */
  async #repair(process, secret) {
    const file = this.#file('current')
    if (this.#kind !== 'source' || fs.readFileSync(file, 'utf8').trim() === secret) return
    fs.writeFileSync(`${file}.new`, secret)
    fs.renameSync(`${file}.new`, file)
    await process.said('source 0: changed\n')
  }

  #file(name) {
    return path.join(this.#directory, name)
  }

  /** Where the promotion was told, the provider may let the old secret end. */
  #end({ told, before, secret }) {
    this.#kept = undefined
    if (!told.includes('promoted') && !told.includes('resolved')) return
    if (this.#random() < 0.8) this.#server.setSecrets('app', [secret])
    // A source of its own keeps it until the old one retires; then, and else, nothing stands before
    // it.
    if (this.#kind !== 'source' || told.includes('retired')) this.#kept = secret
    else if (!told.includes('persisted: done')) this.#kept = before
  }

  /** Has it killed from here; returns what watches its files, if anything does. */
  #arm(process, moment) {
    let isOver = false
    process.ended.then(() => (isOver = true))
    const told = process.said('told\n').catch(() => {})
    const kill = () => isOver || process.kill('SIGKILL')
    const soon = (most) => setTimeout(kill, this.#random() * most)
    if (moment === 'asking') {
      this.#server.respond(async () => {
        kill()
        await process.ended
        return undefined
      })
    } else if (moment === 'answered') {
      this.#server.respond(() => void soon(5))
    } else if (moment === 'writing') {
      let left = Math.floor(this.#random() * 6)
      told.then(() => setTimeout(kill, 1400))
      return fs.watch(this.#directory, () => left-- === 0 && kill())
    } else {
      told.then(() => soon(moment === 'soon' ? 60 : 1400))
    }
    return undefined
  }
}

module.exports = { KINDS, crashes }
