'use strict'

const fs = require('node:fs')
const path = require('node:path')

const { fromDirectory } = require('..')
const { temporaryDirectory } = require('./support/changing')
const { Load } = require('./support/load')
const { until } = require('./support/process')
const { closeAll, event, forkedServer, manager } = require('./support/world')

afterEach(closeAll)

const PAIRS = Array.from({ length: 5 }, (_, version) => ({
  clientId: `client ${version}`,
  clientSecret: `secret ${version}`,
}))

/**
 * A directory as Kubernetes mounts a secret: the files are links into `..data`, itself a link that
 * `publish` replaces in one step. Where it led to before is removed at once.
 */
function volume() {
  const directory = temporaryDirectory()
  const inside = (name) => path.join(directory, name)
  let published = 0
  const publish = ({ clientId, clientSecret }) => {
    const before = inside(`..${published}`)
    published += 1
    fs.mkdirSync(inside(`..${published}`))
    fs.writeFileSync(inside(`..${published}/id`), clientId)
    fs.writeFileSync(inside(`..${published}/secret`), clientSecret)
    fs.symlinkSync(`..${published}`, inside('..data_tmp'))
    fs.renameSync(inside('..data_tmp'), inside('..data'))
    fs.rmSync(before, { recursive: true, force: true })
  }
  for (const name of ['id', 'secret']) fs.symlinkSync(`..data/${name}`, inside(name))
  return { source: fromDirectory(directory, { clientId: 'id', clientSecret: 'secret' }), publish }
}

/** A manager on such a directory under load, at a server in a process of its own. */
async function world() {
  const clients = Object.fromEntries(PAIRS.map(({ clientId, clientSecret }) => [clientId, clientSecret]))
  const provider = await forkedServer({ clients })
  const { source, publish } = volume()
  publish(PAIRS[0])
  const tokens = manager(provider, { credentials: source, sourcePollMs: 10, overlapMs: 1000 })
  await tokens.ready()
  const load = new Load({ url: provider.url, tokens, perSecond: 200 })
  load.start()
  return { provider, publish, tokens, load }
}

/** What was presented that no version ever held, or that was refused. */
async function torn(provider) {
  const isWhole = ({ clientId, presented, status }) =>
    status === 200 && PAIRS.some((pair) => pair.clientId === clientId && pair.clientSecret === presented)
  return (await provider.tokenRequests()).filter((request) => !isWhole(request))
}

test('a mounted secret that changes under load is promoted each time, and no request fails', async () => {
  const { provider, publish, tokens, load } = await world()
  for (const [index, pair] of PAIRS.slice(1, 4).entries()) {
    const promoted = event(tokens, 'rotation', ({ change }) => change === 'promoted')
    publish(pair)
    expect((await promoted).active.clientId).toBe(pair.clientId)
    await tokens.rotation().until('retired')
    await provider.setSecrets(PAIRS[index].clientId, [])
  }
  await load.stop()
  expect(tokens.status()).toMatchObject({ generation: 4, token: { clientId: PAIRS[3].clientId } })
  expect({ failures: load.failures, withoutToken: load.withoutToken }).toEqual({
    failures: [],
    withoutToken: 0,
  })
  expect(await torn(provider)).toEqual([])
})

test('one that changes back and forth in mid-reading never yields a torn pair', async () => {
  const { provider, publish, tokens, load } = await world()
  let changes = 0
  const seen = new Set()
  tokens.on('source', ({ change }) => (changes += Number(change === 'changed')))
  for (let turn = 0; changes < 50; turn++) {
    for (let time = 0; time < 10; time++) publish(PAIRS[(turn + time) % 4])
    await new Promise(setImmediate)
    for (const { clientId, id } of tokens.status().credentials) if (id !== null) seen.add(`${clientId} ${id}`)
  }
  publish(PAIRS[4])
  const { clientId } = PAIRS[4]
  await until(() => tokens.status().token.clientId === clientId && tokens.status().phase === 'stable')
  await load.stop()
  expect({ failures: load.failures, withoutToken: load.withoutToken }).toEqual({
    failures: [],
    withoutToken: 0,
  })
  expect(await torn(provider)).toEqual([])
  // Most are never presented; the id of a credential depends on both of its halves.
  expect(seen.size).toBeLessThanOrEqual(4)
})
