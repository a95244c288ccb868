'use strict'

const diagnosticsChannel = require('node:diagnostics_channel')
const { CredentialRejectedError, RotorError, TokenUnavailableError, isRotorError } = require('..')
const native = require('../lib/native/load')
const { closeAll, event, forkedServer, manager, rejection, server } = require('./support/world')

afterEach(closeAll)

test('a hit answers the same promise, without options', async () => {
  const tokens = manager(await server())
  const token = await tokens.getToken()
  expect(tokens.getToken()).toBe(tokens.getToken())
  expect(tokens.peek()).toBe(token)
})

test('under strict, a hit is one only as long as the wall clock agrees', async () => {
  const provider = await server()
  const [tokens, strict] = [manager(provider), manager(provider, { strict: true })]
  const token = await strict.getToken()
  await tokens.getToken()
  const take = jest.spyOn(native, 'take')
  const now = jest.spyOn(Date, 'now')
  try {
    expect(strict.getToken()).toBe(strict.getToken())
    expect(strict.peek()).toBe(token)
    expect(take).not.toHaveBeenCalled()
    now.mockReturnValue(Infinity)
    tokens.peek()
    await tokens.getToken()
    expect(take).not.toHaveBeenCalled()
    // Whoever disagrees with the word asks the native part, which reads its own clock.
    strict.peek()
    await strict.getToken()
    expect(take).toHaveBeenCalledTimes(2)
  } finally {
    take.mockRestore()
    now.mockRestore()
  }
})

test('the promise and the errors are of the caller’s realm', async () => {
  const tokens = manager(await server({ clients: {} }))
  const promise = tokens.getToken()
  expect(promise).toBeInstanceOf(Promise)
  const error = await rejection(promise)
  expect(error).toBeInstanceOf(Error)
  expect(error).toBeInstanceOf(TokenUnavailableError)
  expect(error.stack).toContain('token-manager.test.js')
})

test('a token is replaced before it ends, and nobody waits for that', async () => {
  const tokens = manager(await server({ lifetimeMs: 5000 }), { refreshBeforeMs: 3000 })
  const first = await tokens.getToken()
  const retired = await event(tokens, 'token-retired')
  expect(retired).toMatchObject({ serial: 1, reason: 'replaced' })
  expect(tokens.peek()).not.toBe(first)
  expect(tokens.peek()).toEqual(expect.any(String))
})

test('a refresh happens on time while the event loop is blocked for two seconds', async () => {
  const provider = await forkedServer({ lifetimeMs: 5000 })
  const tokens = manager(provider, { refreshBeforeMs: 3000 })
  const seen = []
  tokens.on('token-retired', ({ reason }) => seen.push(reason))
  await tokens.ready()
  const end = performance.now() + 2000
  const held = new Set()
  // No turn of the event loop until both are so.
  while (performance.now() < end || held.size < 2) held.add(tokens.peek())
  expect(held).not.toContain(undefined)
  await event(tokens, 'token-retired')
  expect(new Set(seen)).toEqual(new Set(['replaced']))
})

test('a 401 drops exactly the token that it was answered to', async () => {
  const provider = await server()
  const tokens = manager(provider)
  const first = await tokens.getToken()
  expect(tokens.invalidate('another')).toBe(false)
  expect(tokens.invalidate(first)).toBe(true)
  expect(tokens.peek()).toBeUndefined()
  const second = await tokens.getToken()
  expect(second).not.toBe(first)
  expect(tokens.invalidate(first)).toBe(false)
  expect(await tokens.getToken()).toBe(second)
  expect(provider.requests.length).toBe(2)
})

test('a resource that answers 401 to every token is no storm of token requests', async () => {
  const provider = await server()
  const tokens = manager(provider)
  expect(tokens.invalidate(await tokens.getToken())).toBe(true)
  const ignored = event(tokens, 'invalidate-ignored')
  expect(tokens.invalidate(await tokens.getToken())).toBe(false)
  expect(await ignored).toMatchObject({ serial: 2, retryAfterMs: expect.any(Number) })
  expect(tokens.peek()).toBeDefined()
  expect(provider.requests.length).toBe(2)
})

test('an aborted signal wins over a hit', async () => {
  const tokens = manager(await server())
  await tokens.getToken()
  const reason = new Error('too late')
  expect(await rejection(tokens.getToken({ signal: AbortSignal.abort(reason) }))).toBe(reason)
})

test('getToken rejects and never throws', async () => {
  const tokens = manager(await server())
  for (const wrong of [null, 7, 'x', [], { signal: 7 }, { minValidityMs: -1 }, { minValidity: 1 }]) {
    const error = await rejection(tokens.getToken(wrong))
    expect(error.code).toBe('ERR_INVALID_ARGUMENT')
  }
})

test('a wish for more life than is left fetches another token, and one that none can grant is refused', async () => {
  const provider = await server({ lifetimeMs: 60_000 })
  const tokens = manager(provider)
  await tokens.ready()
  expect(await tokens.getToken({ minValidityMs: 50_000 })).toBe(tokens.peek())
  const error = await rejection(tokens.getToken({ minValidityMs: 3_600_000 }))
  expect(error.code).toBe('ERR_LIFETIME_TOO_SHORT')
  expect(error.lifetimeMs).toBeGreaterThan(50_000)
  expect(error.message).toContain('raise maxTokenAgeMs if it is set')
  expect(provider.requests.length).toBe(1)
})

test('a wrong secret is told at once, with what the endpoint said', async () => {
  const tokens = manager(await server({ clients: { app: ['other'] } }))
  const error = await rejection(tokens.ready())
  expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', retryable: false })
  expect(error.retryAfterMs).toEqual(expect.any(Number))
  expect(error.cause).toBeInstanceOf(CredentialRejectedError)
  expect(error.cause).toMatchObject({
    status: 400,
    oauthError: 'invalid_client',
    description: 'authentication failed',
  })
  expect(isRotorError(error) && error instanceof RotorError).toBe(true)
  expect(tokens.health()).toMatchObject({ ready: false, degraded: true })
})

test('the next credential of the list is tried at once when the first is rejected', async () => {
  const provider = await server({ clients: { blue: ['dead'], green: ['alive'] } })
  const tokens = manager(provider, {
    credentials: [
      { label: 'blue', clientId: 'blue', clientSecret: 'wrong' },
      { label: 'green', clientId: 'green', clientSecret: 'alive' },
    ],
  })
  const rejected = event(tokens, 'credential-rejected')
  await tokens.ready()
  expect((await rejected).label).toBe('blue')
  expect(tokens.status().credentials.map(({ label, state }) => [label, state])).toEqual([
    ['green', 'accepted'],
    ['blue', 'rejected'],
  ])
})

test('no answer in time is told with when to ask again, and the fetch goes on', async () => {
  const provider = await server()
  let answer
  const refused = new Promise((resolve) => (answer = resolve))
  provider.respond(() => refused)
  const tokens = manager(provider, { acquireTimeoutMs: 50 })
  const error = await rejection(tokens.getToken())
  expect(error.code).toBe('ERR_TOKEN_UNAVAILABLE')
  expect(error.retryAfterMs).toEqual(expect.any(Number))
  answer()
  await event(tokens, 'token')
  expect(provider.requests.length).toBe(1)
})

test('close refuses who waits, and everything after it', async () => {
  const provider = await server({ latencyMs: 60_000 })
  const tokens = manager(provider)
  const waiting = rejection(tokens.getToken())
  const ready = rejection(tokens.ready())
  await tokens.close()
  await tokens.close()
  for (const error of [await waiting, await ready, await rejection(tokens.getToken())]) {
    expect(error.code).toBe('ERR_CLOSED')
  }
  expect(tokens.peek()).toBeUndefined()
  expect(tokens.invalidate('x')).toBe(false)
  expect(tokens.status()).toMatchObject({ closed: true, token: null })
  tokens.reload()
})

test('what is costly to know about the system waits until it is asked for', async () => {
  const format = jest.spyOn(Intl, 'DateTimeFormat')
  try {
    const tokens = manager(await server())
    await tokens.getToken()
    expect(format).not.toHaveBeenCalled()
    expect(tokens.status()).toMatchObject({
      timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
      token: { issuedAtLocal: expect.any(String) },
    })
  } finally {
    format.mockRestore()
  }
})

test('an event has its number, its instant and its local time, on the manager and on the channel', async () => {
  const published = []
  const listener = (message) => published.push(message)
  diagnosticsChannel.subscribe('oauth-rotor:token', listener)
  const provider = await server({ lifetimeMs: 86_400_000 })
  const first = manager(provider, { name: 'channel', timeZone: 'America/Sao_Paulo' })
  const second = manager(provider, { name: 'channel' })
  const [payload] = await Promise.all([event(first, 'token'), event(second, 'token')])
  diagnosticsChannel.unsubscribe('oauth-rotor:token', listener)
  expect(payload).toMatchObject({ name: 'channel', seq: 1, serial: 1, clientId: 'app' })
  expect(payload.expiresAt.getTime() - payload.issuedAt.getTime()).toBe(86_399_000)
  expect(payload.atLocal).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-03:00\[America\/Sao_Paulo\]$/)
  expect(published.map(({ seq }) => seq)).toEqual([1])
})

test('one listener that throws keeps the event from nobody', async () => {
  const { execFileSync } = require('node:child_process')
  const script = `
    const { manager, server } = require('./__test__/support/world')
    process.on('uncaughtException', (error) => console.log('caught', error.message))
    server().then((provider) => {
      const tokens = manager(provider)
      tokens.on('token', () => { throw new Error('mine') })
      tokens.on('token', () => { console.log('second'); setImmediate(() => process.exit(0)) })
      tokens.ready()
    })`
  const output = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  expect(output.split('\n').filter(Boolean).sort()).toEqual(['caught mine', 'second'])
})

test('managers of one name share a token and one fetch, and the last one’s close ends it', async () => {
  const native = require('../lib/native/load')
  const provider = await server({ latencyMs: 30 })
  const before = native.managers()
  const [first, second] = [manager(provider, { name: 'shared' }), manager(provider, { name: 'shared' })]
  expect(await first.getToken()).toBe(await second.getToken())
  expect(provider.requests.length).toBe(1)
  expect(native.managers()).toBe(before + 1)
  await first.close()
  expect(await second.getToken()).toEqual(expect.any(String))
  await second.close()
  expect(native.managers()).toBe(before)
})

test('a manager that joins while the sources of its name are asked waits for its own', async () => {
  const provider = await server()
  const credentials = async () => ({ clientId: 'app', clientSecret: 'secret' })
  const options = { name: 'joined', credentials }
  const [first, second] = [manager(provider, options), manager(provider, options)]
  const unreadable = []
  second.on('source', (change) => unreadable.push(change))
  await Promise.all([first.ready(), second.ready()])
  expect(await second.getToken()).toBe(await first.getToken())
  expect(unreadable).toEqual([])
})

test('managers without a name share nothing', async () => {
  const provider = await server()
  expect(await manager(provider).getToken()).not.toBe(await manager(provider).getToken())
})

test('two managers of one name must agree on their options', async () => {
  const provider = await server()
  const first = manager(provider, { name: 'conflict' })
  expect(() => manager(provider, { name: 'conflict', maxTokenAgeMs: 5000 })).toThrow(
    expect.objectContaining({ code: 'ERR_OPTIONS_CONFLICT', option: 'maxTokenAgeMs' }),
  )
  await first.ready()
})

test('disposal closes', async () => {
  const tokens = manager(await server())
  // Node.js before 20.5 has no Symbol.asyncDispose.
  await tokens[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]()
  expect(tokens.status().closed).toBe(true)
})
