'use strict'

const fs = require('node:fs')

const { temporaryFile } = require('./support/changing')
const { child } = require('./support/process')
const { closeAll, server } = require('./support/world')

afterEach(closeAll)

const ENV_FILE = 'APP_ID=app\nAPP_SECRET=old\n'
const OLD = { APP_ID: 'app', APP_SECRET: 'old' }
const FOUR = [1, 2, 3, 4]

/** A cluster whose primary has the old variables; all of its workers have their token. */
async function cluster({ kind, workers, text, options }) {
  const provider = await server({ clients: { app: ['old', 'new'] } })
  const file = temporaryFile(text)
  const values = { workers: workers.length, kind, file, tokenUrl: provider.tokenUrl, options }
  const primary = child('cluster.js', values, { env: OLD })
  const all = (said) => Promise.all(workers.map((worker) => primary.said(`${worker}.1: ${said}`)))
  await all('ready')
  await all('started')
  return {
    provider,
    primary,
    all,
    read: () => fs.readFileSync(file, 'utf8'),
    /** What came of all requests from now on. */
    requests: () => {
      const from = provider.requests.length
      return () => provider.requests.slice(from).map(({ presented, status }) => [presented, status])
    },
  }
}

describe.each([
  ['fromFile and secretFile', { kind: 'the secret file', text: 'old\n' }, 'new\n'],
  ['fromEnvFile', { kind: 'the env file', text: ENV_FILE }, ENV_FILE.replace('old', 'new')],
])('four workers on one file, by %s', (_, options, written) => {
  test('one rotates, and the others follow by reading it', async () => {
    const { provider, primary, all, read, requests } = await cluster({ ...options, workers: FOUR })
    const rotating = requests()
    primary.tell('1 rotate new')
    await primary.said('1.1: rotated')
    expect(read()).toBe(written)
    await all('promoted')
    // One proof each, and nobody is refused.
    expect(rotating()).toEqual(FOUR.map(() => ['new', 200]))

    provider.setSecrets('app', ['new'])
    const afterwards = requests()
    FOUR.forEach((worker) => primary.tell(`${worker} fetch`))
    await all('fetched')
    expect(afterwards()).toEqual(FOUR.map(() => ['new', 200]))
    expect(read()).toBe(written)
  })

  test('all of them are told of the secret at once: the file is written, and each is asked once', async () => {
    const { primary, all, read, requests } = await cluster({ ...options, workers: FOUR })
    const rotating = requests()
    FOUR.forEach((worker) => primary.tell(`${worker} rotate new`))
    await all('rotated')
    expect(read()).toBe(written)
    expect(rotating()).toEqual(FOUR.map(() => ['new', 200]))
  })

  test('a worker that is forked again has the new secret, whatever its parent has', async () => {
    const { provider, primary, requests } = await cluster({ ...options, workers: [1, 2] })
    primary.tell('1 rotate new')
    await primary.said('1.1: rotated')
    await primary.said('2.1: promoted')
    provider.setSecrets('app', ['new'])
    const restarted = requests()
    primary.tell('1 kill')
    await primary.said('1.2: ready')
    expect(restarted()).toEqual([['new', 200]])
  })
})

describe('workers with variables and a file as their persist', () => {
  const options = { kind: 'variables and the file', text: ENV_FILE, workers: [1, 2] }

  test('share nothing: who was not told keeps the old secret, until it is forked again', async () => {
    const { provider, primary, read, requests } = await cluster(options)
    primary.tell('1 rotate new')
    await primary.said('1.1: rotated')
    expect(read()).toBe(ENV_FILE.replace('old', 'new'))
    const other = requests()
    primary.tell('2 fetch')
    await primary.said('2.1: fetched')
    expect(other()).toEqual([['old', 200]])

    provider.setSecrets('app', ['new'])
    const restarted = requests()
    primary.tell('2 kill')
    await primary.said('2.2: ready')
    expect(restarted()).toEqual([['new', 200]])
  })

  test('a worker that is forked again with the old variables tells so', async () => {
    const { provider, primary, requests } = await cluster(options)
    primary.tell('1 rotate new')
    await primary.said('1.1: rotated')
    provider.setSecrets('app', ['new'])
    const restarted = requests()
    primary.tell('1 kill')
    await primary.said('1.2: ready')
    expect(restarted()).toEqual([['new', 200]])
    primary.end()
    const { stderr } = await primary.ended
    expect(stderr.match(/OAUTH_ROTOR_STALE_VARIABLE/g)).toHaveLength(1)
    expect(stderr).not.toMatch(/=|\bold\b(?! environment)/)
  })
})
