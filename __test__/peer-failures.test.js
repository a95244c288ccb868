'use strict'

const { child } = require('./support/process')
const { closeAll, rejection, virtualWorld } = require('./support/world')

// What other token clients make of a request that fails; the comments name public reports.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

afterEach(closeAll)

/** A manager that holds its first token, just before its refresh is due. */
async function soonDue() {
  // It says a second less than it gives.
  const { clock, server, open } = await virtualWorld({ lifetimeMs: HOUR + SECOND })
  const tokens = open()
  const token = await tokens.getToken()
  await clock.advance(50 * MINUTE - 1)
  expect(server.requests.length).toBe(1)
  return { clock, server, tokens, token }
}

const REJECTION = { status: 400, body: { error: 'invalid_client' } }

/** What a token request may end with, other than a token. */
const MISHAPS = [
  ['a cut connection', { destroy: true }],
  ['a 503', { status: 503, body: 'Out of order' }],
  ['a 429', { status: 429, body: {} }],
  ['a rejected credential', REJECTION],
  ['a bare 403', { status: 403, body: '<html>Forbidden</html>' }],
  ['an error that no standard knows', { status: 400, body: { error: 'gremlins' } }],
  ['a redirect', { status: 302, headers: { Location: 'http://127.0.0.1:1/' } }],
  ['a body that is not JSON', { status: 200, body: 'not JSON' }],
  ['a token that is none', { status: 200, body: { access_token: 7, expires_in: 'soon' } }],
]

describe('a valid token is not lost when its refresh fails', () => {
  // microsoft-authentication-library-for-js#6115, google-cloud-rust#5809
  test.each(MISHAPS)('with %s', async (_, answer) => {
    const { clock, server, tokens, token } = await soonDue()
    server.respond(...Array(100).fill(answer))
    await clock.advance(1 + 10 * MINUTE - 30 * SECOND - 1)
    expect(server.requests.length).toBeGreaterThan(1)
    expect(tokens.peek()).toBe(token)
    await clock.advance(1)
    expect(tokens.peek()).toBeUndefined()
  })
})

describe('one error does not kill the refreshes for good', () => {
  // google-cloud-rust#4541, google-cloud-rust#5864
  test.each(MISHAPS)('be it %s', async (_, answer) => {
    const { clock, server, tokens, token } = await soonDue()
    server.respond(answer)
    // Nobody asks: what goes on does so by itself.
    await clock.advance(5 * MINUTE)
    expect(server.requests.length).toBe(3)
    expect(tokens.peek()).not.toBe(token)
    await clock.advance(24 * HOUR)
    expect(tokens.peek()).toEqual(expect.any(String))
    expect(tokens.health()).toMatchObject({ ready: true, degraded: false })
  })
})

test('the error of a proactive refresh is not shown to callers whose token is valid', async () => {
  // azure-sdk-for-rust#2611
  const { clock, server, tokens, token } = await soonDue()
  const failures = []
  tokens.on('refresh-failed', ({ error, runwayMs }) => failures.push([error.code, runwayMs]))
  server.set({ clients: {} })
  await clock.advance(MINUTE)
  // It is for those who watch: the token lasts to 30 s before its end.
  expect(failures[0]).toEqual(['ERR_CREDENTIAL_REJECTED', 10 * MINUTE - 30 * SECOND])
  expect(tokens.status().lastError.error.code).toBe('ERR_CREDENTIAL_REJECTED')
  expect(await tokens.getToken()).toBe(token)
  expect(await tokens.getToken({ minValidityMs: 5 * MINUTE })).toBe(token)
  await tokens.ready()
})

test('a failing refresh is not tried again with every call', async () => {
  // aws-sdk-js-v3#2107
  const { clock, server, tokens, token } = await soonDue()
  server.set({ outage: 503 })
  for (let call = 0; call < 100; call++) {
    await clock.advance(100)
    expect(await tokens.getToken()).toBe(token)
  }
  // 10 s have passed: at 0 s, after 1 to 2 s, then after 2 to 4 s, and after 4 to 8 s.
  expect(server.requests.length - 1).toBeGreaterThanOrEqual(2)
  expect(server.requests.length - 1).toBeLessThanOrEqual(4)
})

describe('a cold start is no herd', () => {
  // spring-security#11461, microsoft-authentication-library-for-js#6566
  test('fifty callers cause one fetch and get the same token', async () => {
    const { clock, server, open } = await virtualWorld({ latencyMs: 20 })
    const tokens = open()
    const got = Promise.all(Array.from({ length: 50 }, () => tokens.getToken()))
    await clock.advance(20)
    expect(new Set(await got).size).toBe(1)
    expect(server.requests.length).toBe(1)
  })

  test('twenty callers whose fetch is rejected are told at once, by one fetch', async () => {
    const { clock, server, open } = await virtualWorld({ latencyMs: 20, clients: {} })
    const tokens = open()
    const got = Promise.all(Array.from({ length: 20 }, () => rejection(tokens.getToken())))
    await clock.advance(20)
    for (const error of await got) expect(error.cause.code).toBe('ERR_CREDENTIAL_REJECTED')
    expect(server.requests.length).toBe(1)
  })

  test('callers whose fetch fails do not retry one after the other, be they waiting or new', async () => {
    const { clock, server, open } = await virtualWorld({ latencyMs: 20, outage: 503 })
    const tokens = open()
    const ask = () => rejection(tokens.getToken())
    const got = Array.from({ length: 20 }, ask)
    for (let late = 0; late < 49; late++) {
      await clock.advance(100)
      got.push(ask())
    }
    // The manager asks for all of them: at once, after 1 to 2 s, and after another 2 to 4 s.
    expect(server.requests.length).toBeGreaterThanOrEqual(2)
    expect(server.requests.length).toBeLessThanOrEqual(3)
    await clock.advance(5000)
    for (const error of await Promise.all(got)) expect(error.cause.code).toBe('ERR_ENDPOINT')
  })
})

test('a failed fetch is not remembered as the answer to every later call', async () => {
  // aws-sdk-js-v3#2067
  const { clock, server, open } = await virtualWorld({ outage: 503 })
  const tokens = open()
  for (let call = 0; call < 3; call++) {
    const refused = rejection(tokens.getToken())
    await clock.advance(5 * SECOND)
    expect(await refused).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', retryable: true })
  }
  server.set({ outage: false })
  await clock.advance(MINUTE)
  expect(await tokens.getToken()).toBe(tokens.peek())
})

test('a rejected credential is not remembered for ever', async () => {
  const { clock, server, open } = await virtualWorld({ clients: {} })
  const tokens = open()
  expect(await rejection(tokens.getToken())).toMatchObject({ retryable: false })
  server.set({ clients: { app: 'secret' } })
  await clock.advance(MINUTE)
  expect(await tokens.getToken()).toBe(tokens.peek())
})

test('one caller’s abort never cancels the fetch that others wait for', async () => {
  // valon-technologies/gestalt#357
  const { clock, server, open } = await virtualWorld({ latencyMs: 50 })
  const tokens = open()
  const reason = new Error('changed my mind')
  const controller = new AbortController()
  const aborted = rejection(tokens.getToken({ signal: controller.signal }))
  const others = Promise.all(Array.from({ length: 9 }, () => tokens.getToken()))
  await clock.advance(25)
  controller.abort(reason)
  expect(await aborted).toBe(reason)
  await clock.advance(25)
  expect(new Set(await others)).toEqual(new Set([tokens.peek()]))
  expect(server.requests.map(({ status }) => status)).toEqual([200])
})

test('a background refresh that fails is no unhandled rejection', async () => {
  const flags = ['--unhandled-rejections=strict']
  const { failures } = await child('background-failures.js', {}, { flags }).result()
  expect(failures).toEqual(['ERR_CREDENTIAL_REJECTED', 'ERR_ENDPOINT'])
})

describe('Retry-After is not ignored', () => {
  const busy = (status) => ({ status, headers: { 'Retry-After': '120' }, body: {} })

  test.each([
    [429, 'ERR_THROTTLED'],
    [503, 'ERR_ENDPOINT'],
  ])('by callers without a token, after a %d', async (status, cause) => {
    const { clock, server, open } = await virtualWorld()
    server.respond(busy(status))
    const tokens = open()
    for (let call = 0; call < 20; call++) {
      const refused = rejection(tokens.getToken())
      await clock.advance(5 * SECOND)
      const error = await refused
      expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', cause: { code: cause } })
      expect(error.retryAfterMs).toBeGreaterThanOrEqual(120 * SECOND - (call + 1) * 5 * SECOND)
    }
    await clock.advance(20 * SECOND - 1)
    expect(server.requests.length).toBe(1)
    await clock.advance(12 * SECOND + 1)
    expect(server.requests.length).toBe(2)
    expect(tokens.peek()).toEqual(expect.any(String))
  })

  test.each([429, 503])('by a refresh, after a %d', async (status) => {
    const { clock, server, tokens, token } = await soonDue()
    server.respond(busy(status))
    await clock.advance(120 * SECOND)
    expect(server.requests.length).toBe(2)
    expect(tokens.peek()).toBe(token)
    await clock.advance(12 * SECOND + 1)
    expect(server.requests.length).toBe(3)
    expect(tokens.peek()).not.toBe(token)
  })
})
