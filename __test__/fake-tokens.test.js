'use strict'

const {
  InvalidArgumentError,
  LifetimeTooShortError,
  RotorError,
  TokenUnavailableError,
} = require('../lib/errors')
const { createClock, fakeTokens } = require('../lib/testing')
const { rejection } = require('./support/world')

test('it hands out one token until that ends or is invalidated', async () => {
  const tokens = fakeTokens({ lifetimeMs: 1000 })
  expect(await tokens.getToken()).toBe('test-token-1')
  await tokens.advance(999)
  expect(await tokens.getToken()).toBe('test-token-1')
  await tokens.advance(1)
  expect(await tokens.getToken()).toBe('test-token-2')
  expect(tokens.invalidate('test-token-2')).toBe(true)
  expect(await tokens.getToken()).toBe('test-token-3')
})

test('a late 401 to an older token does nothing', async () => {
  const tokens = fakeTokens({ token: 'mine' })
  tokens.invalidate(await tokens.getToken())
  expect(tokens.invalidate('mine-1')).toBe(false)
  expect(await tokens.getToken()).toBe('mine-2')
})

test('minValidityMs asks for a token that lives long enough', async () => {
  const tokens = fakeTokens({ lifetimeMs: 1000 })
  await tokens.advance(600)
  expect(await tokens.getToken({ minValidityMs: 400 })).toBe('test-token-1')
  expect(await tokens.getToken({ minValidityMs: 401 })).toBe('test-token-2')
  const error = await rejection(tokens.getToken({ minValidityMs: 1001 }))
  expect(error).toBeInstanceOf(LifetimeTooShortError)
  expect(error.lifetimeMs).toBe(1000)
})

test('an abort wins, and is rejected with its reason', async () => {
  const tokens = fakeTokens()
  const reason = new Error('mine')
  expect(await rejection(tokens.getToken({ signal: AbortSignal.abort(reason) }))).toBe(reason)
  const controller = new AbortController()
  const getting = tokens.getToken({ signal: controller.signal })
  controller.abort(reason)
  expect(await rejection(getting)).toBe(reason)
  expect(await tokens.getToken({ signal: new AbortController().signal })).toBe('test-token-1')
})

test('failNext makes one call fail, with a real error', async () => {
  const tokens = fakeTokens()
  const own = new Error('mine')
  tokens.failNext()
  tokens.failNext(own)
  const error = await rejection(tokens.getToken())
  expect(error).toBeInstanceOf(TokenUnavailableError)
  expect(error instanceof RotorError).toBe(true)
  expect(error).toMatchObject({
    code: 'ERR_TOKEN_UNAVAILABLE',
    retryable: true,
    retryAfterMs: 1000,
    cause: { code: 'ERR_ENDPOINT' },
  })
  expect(await rejection(tokens.getToken())).toBe(own)
  expect(await tokens.getToken()).toBe('test-token-1')
  expect(() => tokens.failNext('no')).toThrow('failNext(error) takes an Error, got a string of 2 characters.')
})

test('wrong arguments are told as the manager tells them', async () => {
  const tokens = fakeTokens()
  const error = await rejection(tokens.getToken({ minValidity: 1 }))
  expect(error).toBeInstanceOf(InvalidArgumentError)
  expect(error.message).toContain('Did you mean minValidityMs?')
  expect(() => tokens.invalidate()).toThrow(InvalidArgumentError)
})

test('history has every call with its time and its result', async () => {
  const tokens = fakeTokens({ lifetimeMs: 1000 })
  await tokens.getToken()
  await tokens.advance(10)
  const failure = new Error('mine')
  tokens.failNext(failure)
  await rejection(tokens.getToken({ minValidityMs: 5 }))
  tokens.invalidate('test-token-1')
  tokens.invalidate('test-token-1')
  expect(tokens.history).toEqual([
    { at: 0, method: 'getToken', minValidityMs: 0, token: 'test-token-1' },
    { at: 10, method: 'getToken', minValidityMs: 5, error: failure },
    { at: 10, method: 'invalidate', token: 'test-token-1', dropped: true },
    { at: 10, method: 'invalidate', token: 'test-token-1', dropped: false },
  ])
})

test('with a clock it lives in the clock’s time, and turns it', async () => {
  const clock = createClock()
  const tokens = fakeTokens({ clock, lifetimeMs: 1000 })
  await clock.advance(1000)
  expect(await tokens.getToken()).toBe('test-token-2')
  const before = clock.now()
  await tokens.advance(1000)
  expect(clock.now()).toBe(before + 1000)
  expect(await tokens.getToken()).toBe('test-token-3')
  expect(tokens.history[0].at).toBe(before)
})

test.each([
  [{ token: '' }, 'fakeTokens({ token }) takes the beginning of the tokens, got an empty string.'],
  [{ lifetimeMs: 0 }, 'fakeTokens({ lifetimeMs }) takes a whole number of milliseconds from 1, got 0.'],
  [{ clock: {} }, 'fakeTokens({ clock }) takes what createClock() returns, got an object.'],
  [{ lifetime: 1 }, "fakeTokens(options) has no option 'lifetime'. Did you mean 'lifetimeMs'?"],
])('%j is refused', (options, message) => {
  expect(() => fakeTokens(options)).toThrow(new TypeError(message))
})
