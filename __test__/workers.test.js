'use strict'

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const native = require('../lib/native/load')
const { child } = require('./support/process')
const { atEnd, closeAll, event, forkedServer, manager, server } = require('./support/world')

afterEach(closeAll)

/** A worker with a manager; `ask(method)` calls it there. The test's end terminates it. */
function worker(server, options) {
  const file = path.join(__dirname, 'support', 'children', 'token-worker.js')
  const workerData = { server: { tokenUrl: server.tokenUrl }, options }
  const started = new Worker(file, { workerData })
  atEnd(() => started.terminate())
  return {
    ask: (method) =>
      new Promise((resolve, reject) => {
        started.once('message', resolve)
        started.once('error', reject)
        started.postMessage(method)
      }),
    terminate: () => started.terminate(),
  }
}

test('four workers and the main thread share one token and one fetch through a name', async () => {
  const provider = await server({ latencyMs: 100 })
  const options = { name: 'shared by threads' }
  const tokens = manager(provider, options)
  const workers = Array.from({ length: 4 }, () => worker(provider, options))
  const got = await Promise.all([tokens.getToken(), ...workers.map(({ ask }) => ask('getToken'))])
  expect(new Set(got).size).toBe(1)
  expect(provider.requests.length).toBe(1)
})

test('a name is a capability: with another credential, even a wrong one, it gets the token', async () => {
  const provider = await server()
  const options = { name: 'known to two tenants' }
  const tokens = manager(provider, options)
  const token = await tokens.getToken()
  const credentials = { clientId: 'tenant', clientSecret: 'of nobody' }
  expect(await worker(provider, { ...options, credentials }).ask('getToken')).toBe(token)
  const other = worker(provider, { name: 'of the other tenant', credentials })
  await expect(other.ask('getToken')).rejects.toThrow('No token is held')
  expect(await tokens.getToken()).toBe(token)
})

test('the end of a worker leaves the others their token', async () => {
  const provider = await server()
  const options = { name: 'left by a thread' }
  const workers = Array.from({ length: 3 }, () => worker(provider, options))
  const [token] = await Promise.all(workers.map(({ ask }) => ask('getToken')))
  await workers[0].ask('close')
  await workers[1].terminate()
  expect(await workers[2].ask('peek')).toBe(token)
  expect(await workers[2].ask('getToken')).toBe(token)
  expect(provider.requests.length).toBe(1)
})

test('the native thread outlives the worker that it was started in', async () => {
  expect(native.managers()).toBe(0)
  const provider = await server({ lifetimeMs: 5000 })
  const options = { name: 'outlives its creator', refreshBeforeMs: 3000 }
  const creator = worker(provider, options)
  await creator.ask('ready')
  const tokens = manager(provider, options)
  await tokens.ready()
  await creator.terminate()
  const held = tokens.peek()
  const { serial } = tokens.status().token
  // Nobody asks for it.
  await event(tokens, 'token', (token) => token.serial === serial + 1)
  expect(tokens.peek()).not.toBe(held)
  expect(tokens.peek()).toBeDefined()
})

test('a worker that ends takes with it what only it had opened', async () => {
  const provider = await server({ latencyMs: 3_600_000 })
  const opened = worker(provider, {})
  await opened.ask('peek')
  expect(native.managers()).toBe(1)
  await opened.terminate()
  expect(native.managers()).toBe(0)
})

test.each([
  ['exits', 'exit', 6, undefined],
  ['throws', 'throw', 1, 'mine'],
])('a worker that %s in mid-fetch ends as it does without a manager', async (_, how, code, message) => {
  const { tokenUrl } = await server({ latencyMs: 3_600_000 })
  const file = path.join(__dirname, 'support', 'children', 'ending-worker.js')
  const started = new Worker(file, { workerData: { server: { tokenUrl }, how } })
  atEnd(() => started.terminate())
  let error
  started.once('error', (thrown) => (error = thrown))
  expect(await new Promise((resolve) => started.once('exit', resolve))).toBe(code)
  expect(error?.message).toBe(message)
  expect(native.managers()).toBe(0)
})

test('process.exit() while workers use managers ends the process with its code', async () => {
  const { tokenUrl } = await server({ lifetimeMs: 1400 })
  const names = Array.from({ length: 10 }, (_, index) => `exits ${index}`)
  for (let time = 0; time < 10; time++) {
    const end = await child('exit-with-workers.js', { tokenUrl, names }).ended
    expect(end).toEqual({ code: 5, signal: null, stdout: '', stderr: '' })
  }
})

test('500 workers terminated while tokens are published to them leave nothing behind', async () => {
  const { tokenUrl } = await forkedServer({ lifetimeMs: 1400 })
  const names = Array.from({ length: 20 }, (_, index) => `terminated ${index}`)
  const result = await child('terminate.js', { tokenUrl, rounds: 500, names }).result()
  const { before, after, left } = result
  expect(after.threads).toBeLessThanOrEqual(before.threads)
  expect([before.managers, after.managers, left]).toEqual([names.length, names.length, 0])
  expect(after.rss - before.rss).toBeLessThan(64 * 1024 * 1024)
  // Starting a worker is most of the work, and a busy machine takes its time.
}, 600_000)
