'use strict'

const { format, inspect } = require('node:util')

const { fromEnv, oauth2 } = require('..')
const world = require('./support/world')

const { closeAll, rejection } = world

// What other token clients get wrong although every request succeeds; the comments name public
// reports.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

afterEach(closeAll)

/** The server says a second less than it gives. */
const virtualWorld = (knobs) => world.virtualWorld({ lifetimeMs: HOUR + SECOND, ...knobs })

describe('five late 401s cost no token request', () => {
  // azure-sdk-for-cpp#6151
  const statusOf = async ({ url }, token) => {
    const headers = { Authorization: `Bearer ${token}` }
    return (await fetch(`${url}/api/v2/conversations`, { headers })).status
  }

  test('after the first one dropped the token', async () => {
    const { clock, server, open } = await virtualWorld()
    const tokens = open()
    const revoked = await tokens.getToken()
    server.revoke(revoked)
    const statuses = await Promise.all(Array.from({ length: 6 }, () => statusOf(server, revoked)))
    expect(statuses).toEqual(Array(6).fill(401))
    expect(tokens.invalidate(revoked)).toBe(true)
    await clock.advance(SECOND)
    const replacement = await tokens.getToken()
    for (let late = 0; late < 5; late++) {
      await clock.advance(10 * SECOND)
      expect(tokens.invalidate(revoked)).toBe(false)
      expect(await tokens.getToken()).toBe(replacement)
    }
    expect(await statusOf(server, replacement)).toBe(200)
    expect(server.requests.length).toBe(2)
  })

  test('after a refresh replaced the token', async () => {
    const { clock, server, open } = await virtualWorld({ maxLiveTokens: 1 })
    const tokens = open()
    const replaced = await tokens.getToken()
    await clock.advance(50 * MINUTE)
    const replacement = tokens.peek()
    for (let late = 0; late < 5; late++) {
      expect(await statusOf(server, replaced)).toBe(401)
      expect(tokens.invalidate(replaced)).toBe(false)
    }
    await clock.advance(MINUTE)
    expect(await tokens.getToken()).toBe(replacement)
    expect(server.requests.length).toBe(2)
  })
})

describe('there is no busy loop', () => {
  // google-cloud-rust#6678
  test.each([0, -3600])('on tokens whose expires_in is %d', async (expiresIn) => {
    const { clock, server, open } = await virtualWorld()
    const body = { access_token: 'abc', token_type: 'bearer', expires_in: expiresIn }
    server.respond(...Array(1000).fill({ status: 200, body }))
    const tokens = open()
    for (let call = 0; call < 100; call++) {
      const refused = rejection(tokens.getToken())
      await clock.advance(6 * SECOND)
      expect((await refused).code).toBe('ERR_TOKEN_UNAVAILABLE')
    }
    // In 10 min: after 1 s at the earliest, and in the end once in 30 to 60 s.
    expect(server.requests.length).toBeLessThanOrEqual(30)
  })

  test.each([1, 2, 10])('on tokens that live %d s', async (seconds) => {
    const { clock, server, open } = await virtualWorld({ lifetimeMs: (seconds + 1) * SECOND })
    const tokens = open()
    await tokens.ready()
    let calls = 0
    for (; calls < 60; calls++) {
      await clock.advance(SECOND)
      expect(await tokens.getToken()).toBe(tokens.peek())
      // None can live that long, and nothing is fetched to find that out again.
      const wish = { minValidityMs: (seconds + 1) * SECOND }
      expect((await rejection(tokens.getToken(wish))).code).toBe('ERR_LIFETIME_TOO_SHORT')
    }
    expect(server.requests.length).toBe(1 + Math.floor(calls / (seconds * 0.75)))
  })
})

test('callers do not wait for the refresh that refresh_in asks for', async () => {
  const { clock, server, open } = await virtualWorld()
  const body = { access_token: 'abc', token_type: 'bearer', expires_in: 3600, refresh_in: 60 }
  server.respond({ status: 200, body })
  const tokens = open()
  await tokens.ready()
  server.set({ latencyMs: 300 })
  await clock.advance(MINUTE)
  expect(server.requests.length).toBe(2)
  // The time stands still: whoever waited would wait for ever.
  const got = await Promise.all(Array.from({ length: 20 }, () => tokens.getToken()))
  expect(new Set(got)).toEqual(new Set(['abc']))
  await clock.advance(300)
  expect(tokens.peek()).not.toBe('abc')
  expect(server.requests.length).toBe(2)
})

test('the life of a token is what its expires_in says, not a constant', async () => {
  const { clock, server, open } = await virtualWorld()
  const start = clock.now()
  for (const seconds of [100, 10_000, 1000]) {
    const body = { access_token: `for-${seconds}-s`, token_type: 'bearer', expires_in: seconds }
    server.respond({ status: 200, body })
  }
  const tokens = open()
  await tokens.ready()
  await clock.advance(3 * HOUR)
  const at = server.requests.slice(0, 4).map((request) => (request.at - start) / SECOND)
  // At 75 % of the life, or 600 s before its end.
  expect(at).toEqual([0, 75, 75 + 9400, 75 + 9400 + 750])
})

describe('nobody gets a token for another scope', () => {
  // DuendeSoftware/foss#360
  const byScope = ({ body }) => {
    const scope = new URLSearchParams(body).get('scope')
    return { status: 200, body: { access_token: `for-${scope}`, token_type: 'bearer', expires_in: 3600 } }
  }

  test.each([
    ['without names', undefined, undefined],
    ['of different names', 'reader', 'writer'],
  ])('from managers %s', async (_, ...names) => {
    const { server, open } = await virtualWorld({ latencyMs: 0 })
    server.respond(byScope, byScope)
    const [reader, writer] = ['read', 'write'].map((scope, i) =>
      open({ name: names[i], provider: { scope } }),
    )
    const got = await Promise.all([reader.getToken(), writer.getToken(), reader.getToken()])
    expect(got).toEqual(['for-read', 'for-write', 'for-read'])
    expect([reader.peek(), writer.peek()]).toEqual(['for-read', 'for-write'])
    expect(reader.invalidate('for-write')).toBe(false)
    expect(server.requests.length).toBe(2)
  })

  test('from managers of one name, which must agree on the scope', async () => {
    const { open } = await virtualWorld()
    const first = open({ name: 'scoped', provider: { scope: 'read' } })
    for (const scope of ['write', 'read write', undefined]) {
      expect(() => open({ name: 'scoped', provider: { scope } })).toThrow(
        expect.objectContaining({ code: 'ERR_OPTIONS_CONFLICT', option: 'provider.scope' }),
      )
    }
    await first.ready()
  })
})

test('console.log, inspect and JSON show neither secret nor token', async () => {
  const secret = 'hunter2-of-the-client'
  process.env.PEER_FAILURES_SECRET = secret
  try {
    const { server, open } = await virtualWorld({ clients: { app: secret } })
    const clientSecret = fromEnv('PEER_FAILURES_SECRET')
    const credentials = [
      { clientId: 'app', clientSecret: secret },
      { clientId: 'app', clientSecret },
    ]
    const tokens = open({ credentials })
    const token = await tokens.getToken()
    const provider = oauth2({ tokenUrl: server.tokenUrl })
    for (const value of [
      tokens,
      provider,
      clientSecret,
      tokens.status(),
      tokens.health(),
      tokens.metrics(),
    ]) {
      const deep = inspect(value, { depth: Infinity, showHidden: true, getters: true })
      for (const text of [deep, format('%o %O %j', value, value, value), `${value}`]) {
        expect(text).not.toContain(secret)
        expect(text).not.toContain(token)
      }
    }
  } finally {
    delete process.env.PEER_FAILURES_SECRET
  }
})
