'use strict'

const native = require('../lib/native/load')
const { child, ourThreads, threads, until } = require('./support/process')
const { atEnd, closeAll, forkedServer, manager, server } = require('./support/world')

afterEach(closeAll)

/** The native thread, and those that resolve names, read files and derive ids for all managers. */
const MOST_THREADS = 1 + 16
/**
 * Eight requests to one endpoint run at once; connections of earlier ones may be about to close.
 */
const MOST_CONNECTIONS = 16

/** Longer than a test may take. */
const PATIENCE_MS = 3_600_000

const flags = ['--expose-gc']
const MIB = 1024 * 1024

test('a thousand managers need no more threads and sockets than ten', async () => {
  const provider = await server()
  const notOurs = () => threads().length - ourThreads()
  const open = (count) =>
    Array.from({ length: count }, (_, index) => {
      const name = index % 2 === 0 ? { name: `one of ${count}: ${index}` } : {}
      // However busy this thread is, which is also the server's: nobody gives up, and nobody asks
      // twice.
      return manager(provider, { ...name, acquireTimeoutMs: PATIENCE_MS, requestTimeoutMs: PATIENCE_MS })
    })
  const ready = (managers) => Promise.all(managers.map((tokens) => tokens.ready()))
  const few = open(10)
  await ready(few)
  const before = notOurs()

  const peak = { threads: 0, connections: 0 }
  const watch = setInterval(() => {
    peak.threads = Math.max(peak.threads, ourThreads())
    peak.connections = Math.max(peak.connections, provider.connections)
  }, 5)
  atEnd(() => clearInterval(watch))
  const many = open(1000)
  await ready(many)
  const all = [...few, ...many]
  expect(native.managers()).toBe(all.length)
  expect(new Set(all.map((tokens) => tokens.peek())).size).toBe(all.length)
  expect(provider.requests.length).toBe(all.length)
  expect(notOurs()).toBe(before)
  expect(peak.threads).toBeLessThanOrEqual(MOST_THREADS)
  expect(peak.connections).toBeLessThanOrEqual(MOST_CONNECTIONS)

  await Promise.all(all.map((tokens) => tokens.close()))
  expect(native.managers()).toBe(0)
  await until(() => ourThreads() === 0 && provider.connections === 0)
})

test('of more handles than a block has words for each sees its own token, also in words that others had', async () => {
  const provider = await server()
  const open = (count) =>
    Array.from({ length: count }, (_, index) => manager(provider, { name: index % 2 ? 'odd' : 'even' }))
  const seen = (managers) => managers.map((tokens) => tokens.peek())
  const closed = open(1040)
  const kept = closed.splice(0, 1030)
  await Promise.all(closed.map((tokens) => tokens.close()))
  const all = [...kept, ...open(20)]
  const [even, odd] = await Promise.all(all.map((tokens) => tokens.getToken()))
  expect(even).not.toBe(odd)
  const expected = (first, second) => all.map((_, index) => (index % 2 ? second : first))
  expect(seen(all)).toEqual(expected(even, odd))
  all[0].invalidate(even)
  expect(seen(all)).toEqual(expected(undefined, odd))
  const next = await all[0].getToken()
  expect(await Promise.all(all.map((tokens) => tokens.getToken()))).toEqual(expected(next, odd))
  expect(seen(closed)).toEqual(closed.map(() => undefined))
})

test('opening and closing over and over leaves nothing', async () => {
  const provider = await server()
  for (let time = 0; time < 200; time++) {
    const tokens = manager(provider, time % 3 === 0 ? {} : { name: 'again' })
    const asked = tokens.getToken().catch((error) => error.code)
    // Some before their first token, some with it.
    if (time % 2 === 0) await asked
    await tokens.close()
    expect(await asked).toEqual(expect.any(String))
    expect(native.managers()).toBe(0)
  }
  await until(() => ourThreads() === 0)
})

test('managers that nobody refers to any more are closed', async () => {
  const provider = await server()
  const { left } = await child('forgotten.js', { tokenUrl: provider.tokenUrl }, { flags }).result()
  expect(left).toBe(1)
})

test('neither refreshes nor calls take memory that they keep', async () => {
  // Half of a token's life is left when it is refreshed: a slow machine has time to replace it.
  const { tokenUrl } = await forkedServer({ lifetimeMs: 6000 })
  const values = {
    tokenUrl,
    managers: 300,
    refreshBeforeMs: 3000,
    warmUp: 600,
    refreshes: 1000,
    calls: 100_000,
  }
  const { before, after, refreshed } = await child('refresh.js', values, { flags }).result()
  expect(refreshed).toBeGreaterThanOrEqual(1000)
  expect(after - before).toBeLessThan(16 * MIB)
})
