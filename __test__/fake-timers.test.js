'use strict'

const { closeAll, event, manager, rejection, server } = require('./support/world')

afterEach(async () => {
  jest.useRealTimers()
  await closeAll()
})

// The server and the manager know nothing of the test's timers; each test lets both work under
// them.
describe.each([
  ['every timer and Date', {}],
  ['every timer but Date', { doNotFake: ['Date'] }],
  ['timers that advance by themselves', { advanceTimers: true }],
])('with fakes of %s', (_, config) => {
  test('a manager is opened, gives its token and is closed', async () => {
    const provider = await server()
    jest.useFakeTimers(config)
    const tokens = manager(provider)
    const token = await tokens.getToken()
    expect(tokens.peek()).toBe(token)
    expect(tokens.getToken()).toBe(tokens.getToken())
    expect(jest.getTimerCount()).toBe(0)
    await tokens.close()
    expect(jest.getTimerCount()).toBe(0)
  })

  test('a token is replaced on time, and the event is told', async () => {
    const provider = await server({ lifetimeMs: 3000 })
    jest.useFakeTimers(config)
    const tokens = manager(provider, { refreshBeforeMs: 1500 })
    const first = await tokens.getToken()
    expect(await event(tokens, 'token', ({ serial }) => serial === 2)).toMatchObject({ seq: 3 })
    expect(tokens.peek()).not.toBe(first)
    expect(jest.getTimerCount()).toBe(0)
  })

  test('a refusal comes in real time', async () => {
    const provider = await server()
    provider.respond({ status: 429, headers: { 'Retry-After': '30' }, body: {} })
    jest.useFakeTimers(config)
    const tokens = manager(provider, { acquireTimeoutMs: 200 })
    expect((await rejection(tokens.getToken())).code).toBe('ERR_TOKEN_UNAVAILABLE')
    expect(jest.getTimerCount()).toBe(0)
  })
})

test('an open manager has nothing that runAllTimers() would run', async () => {
  const provider = await server()
  jest.useFakeTimers()
  const tokens = manager(provider)
  const asked = tokens.getToken()
  const ran = []
  setTimeout(() => ran.push('mine'), 60_000)
  jest.runAllTimers()
  jest.runAllTicks()
  expect(ran).toEqual(['mine'])
  expect(await asked).toBe(tokens.peek())
  await jest.runAllTimersAsync()
})

test('time that only the test has let pass ends no token', async () => {
  const provider = await server()
  const tokens = [manager(provider), manager(provider, { strict: true })]
  const held = await Promise.all(tokens.map((tokens) => tokens.getToken()))
  jest.useFakeTimers()
  jest.advanceTimersByTime(7 * 86_400_000)
  expect(tokens.map((tokens) => tokens.peek())).toEqual(held)
  jest.setSystemTime(new Date('1999-12-31'))
  expect(tokens.map((tokens) => tokens.peek())).toEqual(held)
  expect(await Promise.all(tokens.map((tokens) => tokens.getToken()))).toEqual(held)
  expect(provider.requests.length).toBe(2)
})

test('instants are real ones, as Dates of the test', async () => {
  const provider = await server()
  const begin = Date.now()
  jest.useFakeTimers({ now: new Date('1999-12-31') })
  const tokens = manager(provider)
  const { at } = await event(tokens, 'token')
  expect(at).toBeInstanceOf(Date)
  expect(at.getTime()).toBeGreaterThanOrEqual(begin - 1000)
})

test('an abort signal of the test ends a wait under fake timers', async () => {
  const provider = await server({ latencyMs: 3_600_000 })
  jest.useFakeTimers()
  const controller = new AbortController()
  const tokens = manager(provider)
  setTimeout(() => controller.abort(new Error('too late')), 1000)
  const asked = rejection(tokens.getToken({ signal: controller.signal }))
  jest.advanceTimersByTime(1000)
  expect((await asked).message).toBe('too late')
})
