'use strict'

const { OptionsConflictError, fromEnv } = require('..')
const native = require('../lib/native/load')
const { createClock } = require('../lib/testing')
const world = require('./support/world')

const { closeAll, rejection, virtualWorld } = world

const HOUR = 3_600_000
const DAY = 24 * HOUR

afterEach(closeAll)

test('a month of refreshes passes in one advance, each at its time and told before it resolves', async () => {
  const { clock, server, open } = await virtualWorld()
  const start = clock.now()
  const tokens = open({ timeZone: 'UTC' })
  const issued = []
  tokens.on('token', ({ issuedAt }) => issued.push(issuedAt - start))
  await tokens.ready()
  await clock.advance(30 * DAY)
  // A token lives a second less than a day; every six hours it shows whether its secret still
  // works.
  const every = 6 * HOUR
  expect(issued).toEqual(Array.from({ length: 121 }, (_, round) => round * every))
  expect(server.requests.map(({ at }) => at - start)).toEqual(issued)
  expect(tokens.status().token.expiresAt).toEqual(new Date(start + 120 * every + DAY - 1000))
  expect(clock.now()).toBe(start + 30 * DAY)
})

test('without that it is refreshed ten minutes before its end', async () => {
  const { clock, server, open } = await virtualWorld()
  const start = clock.now()
  const tokens = open({ proveEveryMs: 0 })
  await tokens.ready()
  await clock.advance(3 * DAY)
  const every = DAY - 1000 - 10 * 60_000
  expect(server.requests.map(({ at }) => at - start)).toEqual([0, every, 2 * every, 3 * every])
})

describe('a secret that dies while its token of a day serves', () => {
  const OLD = { label: 'old', clientId: 'app', clientSecret: 'old' }
  const NEW = { label: 'new', clientId: 'app', clientSecret: 'new' }

  async function dying(credentials, after) {
    const { clock, server, open } = await virtualWorld()
    server.setSecrets('app', ['old', 'new'])
    const tokens = open({ credentials })
    await tokens.ready()
    await clock.advance(HOUR)
    after(server)
    // Whoever calls meanwhile gets a token.
    for (let hour = 1; hour < 7; hour++) {
      expect(await tokens.getToken()).toEqual(expect.any(String))
      await clock.advance(HOUR)
    }
    return tokens
  }

  test('is replaced after six hours where another one is known', async () => {
    const tokens = await dying([OLD, NEW], (server) => server.setSecrets('app', ['new']))
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 2, token: { label: 'new' } })
    expect(tokens.health().ready).toBe(true)
  })

  test('is told then where it is the only one, with most of the token’s life left to act', async () => {
    const tokens = await dying([OLD], (server) => server.setSecrets('app', ['new']))
    expect(tokens.status().phase).toBe('degraded')
    const { ready, problems, tokenRunwayMs } = tokens.health()
    expect([ready, problems.map(({ code }) => code)]).toEqual([true, expect.arrayContaining(['degraded'])])
    expect(tokenRunwayMs).toBeGreaterThan(16 * HOUR)
  })

  test('is not what an outage is taken for', async () => {
    const tokens = await dying([OLD, NEW], (server) => server.set({ outage: 503 }))
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1, token: { label: 'old' } })
    expect(tokens.health().tokenRunwayMs).toBeGreaterThan(16 * HOUR)
  })
})

test('a token is handed out to the last millisecond, and not in the one after', async () => {
  const { clock, server, open } = await virtualWorld({ lifetimeMs: HOUR })
  const tokens = open({ expiryMarginMs: 0, refreshBeforeMs: 0, acquireTimeoutMs: 1000 })
  const token = await tokens.getToken()
  server.set({ outage: true })
  const end = HOUR - 1000
  await clock.advance(end - 1)
  expect(tokens.peek()).toBe(token)
  expect(await tokens.getToken()).toBe(token)
  await clock.advance(1)
  expect(tokens.peek()).toBeUndefined()
  const refused = rejection(tokens.getToken())
  await clock.advance(1000)
  expect(await refused).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', cause: { code: 'ERR_ENDPOINT' } })
})

test('strict compares this clock, not the machine’s', async () => {
  const clock = createClock({ now: 0 })
  const server = await world.server({ clock, lifetimeMs: HOUR })
  const limits = { expiryMarginMs: 0, refreshBeforeMs: 0 }
  const tokens = world.manager(server, { clock, strict: true, ...limits })
  const token = await tokens.getToken()
  const take = jest.spyOn(native, 'take')
  expect([tokens.peek(), await tokens.getToken()]).toEqual([token, token])
  // By the machine's clock it ended in 1970, and the native part would be asked each time.
  expect(take).not.toHaveBeenCalled()
  take.mockRestore()
  server.set({ outage: true })
  await clock.advance(HOUR - 1001)
  expect(tokens.peek()).toBe(token)
  await clock.advance(1)
  expect(tokens.peek()).toBeUndefined()
})

test('an answer that takes 200 ms comes when the clock has advanced by 200 ms', async () => {
  const { clock, server, open } = await virtualWorld({ latencyMs: 200 })
  const got = []
  open()
    .getToken()
    .then((token) => got.push(token))
  await clock.advance(199)
  expect(server.requests.length).toBe(1)
  expect(got).toEqual([])
  await clock.advance(1)
  expect(got).toEqual([expect.any(String)])
})

test('requestTimeoutMs passes on this clock, and the next attempt is not taken for the one given up', async () => {
  const { clock, server, open } = await virtualWorld({ latencyMs: 60_000 })
  const tokens = open({ requestTimeoutMs: 10_000 })
  const failures = []
  tokens.on('refresh-failed', ({ at, error }) => failures.push([at - start, error.code]))
  const start = clock.now()
  await clock.advance(9999)
  expect(failures).toEqual([])
  await clock.advance(1)
  expect(failures).toEqual([[10_000, 'ERR_ENDPOINT']])
  server.set({ latencyMs: 0 })
  await clock.advance(60_000)
  expect(tokens.peek()).toEqual(expect.any(String))
  expect(server.requests.map(({ status }) => status)).toEqual(['abandoned', 200])
})

test('failures are followed by attempts with growing distances', async () => {
  const { clock, server, open } = await virtualWorld({ outage: 503 })
  open()
  await clock.advance(10 * 60_000)
  const at = server.requests.map((request) => request.at)
  const gaps = at.slice(1).map((time, index) => time - at[index])
  expect(gaps.length).toBeGreaterThan(8)
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500)
  expect(Math.max(...gaps)).toBeLessThanOrEqual(60_000)
  const half = Math.floor(gaps.length / 2)
  const sum = (numbers) => numbers.reduce((one, other) => one + other, 0)
  expect(sum(gaps.slice(-half))).toBeGreaterThan(sum(gaps.slice(0, half)))
})

test('an environment variable is read again every sourcePollMs', async () => {
  const { clock, server, open } = await virtualWorld()
  process.env.CLOCK_TEST_SECRET = 'secret'
  const tokens = open({ credentials: { clientId: 'app', clientSecret: fromEnv('CLOCK_TEST_SECRET') } })
  await tokens.ready()
  const changes = []
  tokens.on('source', ({ change, at }) => changes.push([change, at.getTime()]))
  server.set({ clients: { app: ['secret', 'next'] } })
  process.env.CLOCK_TEST_SECRET = 'next'
  const before = clock.now()
  await clock.advance(9999)
  expect(changes).toEqual([])
  await clock.advance(1)
  expect(changes).toEqual([['changed', before + 10_000]])
  delete process.env.CLOCK_TEST_SECRET
})

test('a function is asked again every sourcePollMs, and its answer is waited for', async () => {
  const { clock, open } = await virtualWorld()
  const asked = []
  const tokens = open({
    sourcePollMs: 60_000,
    credentials: async () => {
      asked.push(clock.now())
      // Some real I/O.
      await require('node:fs/promises').readFile(__filename)
      return { clientId: 'app', clientSecret: 'secret' }
    },
  })
  await tokens.ready()
  const [first] = asked
  await clock.advance(5 * 60_000)
  expect(asked.map((at) => at - first)).toEqual([0, 60_000, 120_000, 180_000, 240_000, 300_000])
})

test('a function that never answers holds an advance up once, not each time that it is awaited', async () => {
  const { clock, open } = await virtualWorld()
  const silent = jest.fn(() => new Promise(() => {}))
  const tokens = open({
    credentials: [
      { clientId: 'app', clientSecret: 'secret' },
      { clientId: 'app', clientSecret: silent, optional: true },
    ],
  })
  // It is awaited 240 times; a second for each would be longer than a test may take.
  await clock.advance(HOUR)
  expect(silent).toHaveBeenCalledTimes(1)
  expect(tokens.peek()).toEqual(expect.any(String))
})

test('two managers are on one clock, each in its own rhythm', async () => {
  const { clock, server, open } = await virtualWorld({ clients: { app: 'secret', other: 'secret' } })
  const day = open({ maxTokenAgeMs: DAY })
  const hour = open({ maxTokenAgeMs: HOUR, credentials: { clientId: 'other', clientSecret: 'secret' } })
  await Promise.all([day.ready(), hour.ready()])
  await clock.advance(DAY)
  const count = (id) => server.requests.filter(({ clientId }) => clientId === id).length
  expect(count('app')).toBe(5)
  expect(count('other')).toBeGreaterThan(24)
})

test('managers of one name are on one clock, or they conflict', async () => {
  const { open, clock } = await virtualWorld()
  open({ name: 'on a clock' })
  expect(await open({ name: 'on a clock' }).getToken()).toEqual(expect.any(String))
  for (const other of [createClock(), undefined]) {
    let error
    try {
      open({ name: 'on a clock', clock: other })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(OptionsConflictError)
    expect(error).toMatchObject({ option: 'clock' })
  }
  await clock.advance(DAY)
})

test('a task that died starts over in this clock’s time, and advance does not wait for it for ever', async () => {
  const { clock, open } = await virtualWorld()
  const tokens = open()
  await tokens.ready()
  const restarted = []
  tokens.on('thread-restarted', ({ at }) => restarted.push(at))
  native.injectPanic(null)
  // The thread dies some time after that was asked for.
  while (restarted.length === 0) await clock.advance(1000)
  expect(restarted[0].getTime()).toBeLessThanOrEqual(clock.now())
  await clock.advance(DAY)
  expect(tokens.peek()).toEqual(expect.any(String))
})

test('what listeners do while an advance is under way belongs to it', async () => {
  const { clock, open } = await virtualWorld()
  const tokens = open()
  const seen = []
  tokens.on('token-retired', () => {
    tokens.getToken({ minValidityMs: HOUR }).then((token) => seen.push(token))
  })
  await tokens.ready()
  await clock.advance(6 * HOUR)
  expect(seen).toEqual([tokens.peek()])
})

test('with the last manager on it a clock is let go, while managers on others stay', async () => {
  const forgotten = jest.spyOn(native, 'dropClock')
  const { clock, open } = await virtualWorld()
  const others = await virtualWorld()
  const stays = others.open()
  const [first, second] = [open(), open()]
  await clock.advance(1000)
  await first.close()
  expect(forgotten).not.toHaveBeenCalled()
  await second.close()
  expect(forgotten).toHaveBeenCalledTimes(1)
  await clock.advance(DAY)
  await others.clock.advance(DAY)
  expect(stays.peek()).toEqual(expect.any(String))
  await stays.close()
  expect(forgotten).toHaveBeenCalledTimes(2)
  forgotten.mockRestore()
})

test('fake timers, Date included, change nothing', async () => {
  jest.useFakeTimers()
  try {
    const { clock, open } = await virtualWorld({ latencyMs: 200 })
    const never = { clientId: 'app', clientSecret: () => new Promise(() => {}), optional: true }
    const tokens = open({ credentials: [{ clientId: 'app', clientSecret: 'secret' }, never] })
    await clock.advance(HOUR)
    expect(await tokens.getToken()).toEqual(expect.any(String))
    expect(jest.getTimerCount()).toBe(0)
  } finally {
    jest.useRealTimers()
  }
})
