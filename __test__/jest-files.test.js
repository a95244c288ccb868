'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { run } = require('./support/process')
const { atEnd, closeAll, server } = require('./support/world')

afterEach(closeAll)

const JEST = path.join(path.dirname(require.resolve('jest/package.json')), 'bin', 'jest.js')
const CONFIG = path.join(__dirname, 'support', 'jest-files', 'jest.config.js')

/** Runs two files of another Jest; returns what each saw, and how many managers they left. */
async function runFiles(args, env) {
  const provider = await server()
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oauth-rotor-'))
  atEnd(() => fs.rmSync(directory, { recursive: true }))
  const SEEN = path.join(directory, 'seen')
  const options = { env: { TOKEN_URL: provider.tokenUrl, SEEN, ...env } }
  // Without what Jest remembers of earlier runs, which it takes as a reason to start no threads.
  const cache = `--cacheDirectory=${path.join(directory, 'cache')}`
  const flags = ['--expose-gc', JEST, '--config', CONFIG, cache]
  const { code, stderr } = await run([...flags, ...args], options).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('2 passed') })
  expect(stderr).not.toMatch(/did not exit|force exited|open handle/i)
  const lines = fs.readFileSync(SEEN, 'utf8').trim().split('\n')
  const [first, second, { left }] = lines.map((line) => JSON.parse(line))
  return { first, second, left, fetches: provider.requests.length }
}

test('two Jest files of one process share a token through an equal name only', async () => {
  const { first, second, left, fetches } = await runFiles(['--runInBand'], { KEPT: 'kept' })
  expect(second.pid).toBe(first.pid)
  expect(second.shared).toBe(first.shared)
  expect(new Set([first.shared, first.named, first.unnamed, second.named, second.unnamed]).size).toBe(5)
  expect(fetches).toBe(5)
  // One shared, and two of each file; the run ends once nothing of them is left after close().
  expect(left).toBe(5)
})

test('what a Jest file leaves open and forgets goes with its garbage', async () => {
  const { fetches } = await runFiles(['--runInBand'])
  // The run ends once nothing is left.
  expect(fetches).toBeGreaterThanOrEqual(5)
})

test('two Jest files in threads leave nothing, although they close nothing', async () => {
  const { first, second, left } = await runFiles(['--workerThreads', '--maxWorkers=2'])
  expect(second.pid).toBe(first.pid)
  expect(left).toBe(0)
})
