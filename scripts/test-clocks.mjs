// npm run test:clocks: sets the wall clock of this machine ahead by an hour and back, and freezes a
// process in its control group until its token has expired. It needs root, Linux, and a machine
// that nobody else uses.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const { child, until } = require('../__test__/support/process')
const { closeAll, server } = require('../__test__/support/world')

const ROUNDS = 5
const HOUR_MS = 3_600_000
/** As the README promises. */
const MOST_MS = 1000

const now = () => Number(process.hrtime.bigint()) / 1e6

/** The wall clock is set ahead, so tokens are suddenly older. */
async function leaps() {
  for (let round = 1; round <= ROUNDS; round++) {
    // A new process in each round: one that has not yet noticed that the clock was set back sees no
    // change in the next leap.
    const { reader, provider } = await start({ lifetimeMs: 300_000 })
    const before = provider.requests.length
    const begin = now()
    const wall = Date.now()
    const putBack = () => setClock(wall + now() - begin)
    const end = () => process.exit(1)
    process.once('exit', putBack).once('SIGINT', end).once('SIGTERM', end)
    setClock(wall + HOUR_MS)
    try {
      await until(() => provider.requests.length > before)
      report(`the wall clock was set ahead by an hour (${round})`, now() - begin)
    } finally {
      putBack()
      process.off('exit', putBack).off('SIGINT', end).off('SIGTERM', end)
    }
    reader.kill('SIGKILL')
    await reader.ended
  }
}

/** The process stands still until its token has expired, and nobody tells it. */
async function thaws() {
  const { reader, provider } = await start({ lifetimeMs: 3000 })
  const freezer = new Freezer(reader.pid)
  for (let round = 1; round <= ROUNDS; round++) {
    await until(() => provider.requests.length >= round)
    freezer.freeze()
    const { at } = provider.requests.at(-1)
    await until(() => Date.now() > at + 3500)
    const before = provider.requests.length
    const begin = now()
    freezer.thaw()
    await until(() => provider.requests.length > before)
    report(`the process was frozen (${round})`, now() - begin)
  }
  reader.kill('SIGKILL')
  await reader.ended
  freezer.remove()
}

async function start(options) {
  const provider = await server(options)
  const reader = child('idle.js', { tokenUrl: provider.tokenUrl })
  await reader.said('ready')
  return { reader, provider }
}

function report(what, millis) {
  console.log(`${what}: another token was asked for ${millis.toFixed(0)} ms later`)
  if (millis > MOST_MS) throw new Error(`More than ${MOST_MS} ms are too much.`)
}

function setClock(millis) {
  const { status, stderr } = spawnSync('date', ['--set', `@${millis / 1000}`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The clock cannot be set: ${stderr}`)
}

/** A control group for one process, of either version. */
class Freezer {
  #directory
  #file
  #words

  constructor(pid) {
    const [root, file, words] = existsSync('/sys/fs/cgroup/cgroup.controllers')
      ? ['/sys/fs/cgroup', 'cgroup.freeze', ['1', '0']]
      : ['/sys/fs/cgroup/freezer', 'freezer.state', ['FROZEN', 'THAWED']]
    this.#directory = join(root, `oauth-rotor-${process.pid}`)
    mkdirSync(this.#directory)
    this.#file = join(this.#directory, file)
    this.#words = words
    writeFileSync(join(this.#directory, 'cgroup.procs'), String(pid))
  }

  freeze() {
    writeFileSync(this.#file, this.#words[0])
  }

  thaw() {
    writeFileSync(this.#file, this.#words[1])
  }

  remove() {
    rmdirSync(this.#directory)
  }
}

try {
  await leaps()
  await thaws()
  await closeAll()
} catch (error) {
  console.log(error.message)
  process.exitCode = 1
  await closeAll()
}
