'use strict'

const native = require('../lib/native/load')
const { ourThreads, until } = require('./support/process')
const { closeAll, event, manager, server, virtualWorld } = require('./support/world')

afterEach(async () => {
  jest.restoreAllMocks()
  await closeAll()
})

/**
 * Whether each peek() asks the native part; while a token is published, at most the first one does.
 */
function asksNative(tokens) {
  const take = jest.spyOn(native, 'take')
  tokens.peek()
  tokens.peek()
  const { length } = take.mock.calls
  take.mockRestore()
  return length === 2
}

/** A manager that has its token, with the number of its native handle. */
async function opened(provider, options) {
  const open = jest.spyOn(native, 'open')
  const tokens = manager(provider, options)
  const { handle } = JSON.parse(open.mock.results.at(-1).value)
  open.mockRestore()
  const token = await tokens.getToken()
  expect(asksNative(tokens)).toBe(false)
  // The first token is handed out before it is told whose it is.
  await until(() => tokens.status().phase === 'stable')
  return { tokens, token, handle }
}

const restart = ({ tokens }) => event(tokens, 'thread-restarted')

/**
 * So long nobody watches over expiry. On a clock that is turned by hand it ends when the test says
 * so.
 */
const RESTART_MS = 1000

test('a thread that dies leaves every token valid, and nothing is fetched for it', async () => {
  const { clock, server: provider } = await virtualWorld()
  const options = [{ clock }, { clock, name: 'dies' }, { clock }]
  const all = await Promise.all(options.map((options) => opened(provider, options)))
  const restarts = all.map(restart)
  // Somebody listens by now: the first credential has its id.
  await clock.advance(0)
  const diedAt = clock.now()
  native.injectPanic()
  // Until somebody watches over expiry again, every call asks the native part.
  await until(() => all.every(({ tokens }) => asksNative(tokens)))
  for (const { tokens, token } of all) {
    expect(tokens.peek()).toBe(token)
    expect(await tokens.getToken()).toBe(token)
    expect(tokens.status().token.serial).toBe(1)
  }
  await clock.advance(RESTART_MS)
  const events = await Promise.all(restarts)
  for (const [index, { tokens, token }] of all.entries()) {
    expect(events[index]).toMatchObject({ seq: 3, at: new Date(diedAt + RESTART_MS) })
    expect(tokens.peek()).toBe(token)
    expect(asksNative(tokens)).toBe(false)
    expect(tokens.getToken()).toBe(tokens.getToken())
  }
  expect(provider.requests.length).toBe(all.length)
})

test('a task that dies is replaced, and nobody else notices', async () => {
  const { clock, server: provider } = await virtualWorld()
  const [dies, lives] = await Promise.all([opened(provider, { clock }), opened(provider, { clock })])
  const seen = []
  lives.tokens.on('thread-restarted', (payload) => seen.push(payload))
  const restarted = restart(dies)
  native.injectPanic(dies.handle)
  await until(() => asksNative(dies.tokens))
  expect(asksNative(lives.tokens)).toBe(false)
  await clock.advance(RESTART_MS)
  await restarted
  expect(dies.tokens.peek()).toBe(dies.token)
  expect(asksNative(dies.tokens)).toBe(false)
  expect(seen).toEqual([])
  expect(provider.requests.length).toBe(2)
})

test('a token that ends while the thread is dead is not handed out', async () => {
  const { clock, server: provider } = await virtualWorld({ lifetimeMs: 1400 })
  const { tokens, token } = await opened(provider, { clock, expiryMarginMs: 0 })
  const restarted = restart({ tokens })
  native.injectPanic()
  await until(() => asksNative(tokens))
  await clock.advance(399)
  expect(tokens.peek()).toBe(token)
  await clock.advance(1)
  expect(tokens.peek()).toBeUndefined()
  expect(tokens.status().token).toBeNull()
  await clock.advance(RESTART_MS - 400)
  await restarted
  expect(await tokens.getToken()).not.toBe(token)
})

test('a getToken under way gets its token although the thread dies', async () => {
  const { clock, server: provider, open } = await virtualWorld({ latencyMs: 300 })
  const asked = [open(), open()].map((tokens) => tokens.getToken())
  const statuses = () => provider.requests.map(({ status }) => status)
  await until(() => provider.requests.length === 2)
  native.injectPanic()
  await until(() => statuses().every((status) => status === 'abandoned'))
  await clock.advance(RESTART_MS + 300)
  for (const token of await Promise.all(asked)) expect(token).toEqual(expect.any(String))
  expect(statuses()).toEqual(['abandoned', 'abandoned', 200, 200])
})

test('a getToken that begins while the thread is dead gets its token', async () => {
  const { clock, server: provider } = await virtualWorld()
  const { tokens, token } = await opened(provider, { clock })
  native.injectPanic()
  await until(() => asksNative(tokens))
  expect(tokens.invalidate(token)).toBe(true)
  const asked = tokens.getToken()
  await clock.advance(RESTART_MS)
  expect(await asked).not.toBe(token)
  expect(provider.requests.length).toBe(2)
})

test('a thread that dies again and again is started again each time', async () => {
  const provider = await server()
  const { tokens, token } = await opened(provider)
  for (let time = 0; time < 3; time++) {
    const restarted = restart({ tokens })
    native.injectPanic()
    await restarted
    expect(tokens.peek()).toBe(token)
  }
  expect(provider.requests.length).toBe(1)
})

test('a manager opened while the thread is dead is served, one closed meanwhile is not', async () => {
  const { clock, server: provider } = await virtualWorld()
  // On its own clock it stays as it is while nobody turns that.
  const { tokens } = await opened(provider, { clock })
  native.injectPanic()
  await until(() => asksNative(tokens))
  const late = manager(provider)
  await tokens.close()
  expect(await late.getToken()).toEqual(expect.any(String))
  expect(native.managers()).toBe(1)
})

test('a dead thread ends for good when its last manager is closed', async () => {
  const { clock, server: provider } = await virtualWorld()
  const { tokens } = await opened(provider, { clock })
  native.injectPanic()
  await until(() => asksNative(tokens))
  await tokens.close()
  await until(() => ourThreads() === 0)
  const again = manager(await server())
  expect(await again.getToken()).toEqual(expect.any(String))
})
