'use strict'

const { inspect } = require('node:util')

const { closeAll, event, manager, rejection, server } = require('./support/world')

afterEach(closeAll)

// What each answer means is tested where it is judged (src/client/response). These rows go all the
// way: from the bytes of an endpoint to what a caller gets.

const token = (members) => ({ access_token: 'abc', token_type: 'bearer', expires_in: 60, ...members })
const YEAR_MS = 365 * 86_400_000

async function answered(...script) {
  const provider = await server()
  provider.respond(...script)
  return provider
}

test.each([
  ['a number', { expires_in: 86_399 }, 86_399_000],
  ['a text', { expires_in: '3600' }, 3_600_000],
  ['absent', { expires_in: undefined }, 120_000],
  ['beyond all reason', { expires_in: 1e300 }, 100 * YEAR_MS],
  ['beside a type in capitals', { expires_in: 60, token_type: 'BEARER' }, 60_000],
  ['beside no type', { expires_in: 60, token_type: undefined }, 60_000],
])('expires_in that is %s gives a life', async (_, members, lifeMs) => {
  const provider = await answered({ status: 200, body: token(members) })
  const tokens = manager(provider, { provider: { defaultLifetimeMs: 120_000 } })
  expect(await tokens.getToken()).toBe('abc')
  const { issuedAt, expiresAt } = tokens.status().token
  expect(expiresAt - issuedAt).toBe(lifeMs)
})

test.each([
  ['a life of zero', { expires_in: 0 }, /expired already/],
  ['a life below zero', { expires_in: -3600 }, /expired already/],
  ['a type that is not Bearer', { token_type: 'DPoP' }, /token_type other than Bearer/],
  ['a token that would break a header', { access_token: 'abc\r\nX-Evil: 1' }, /must not stand in a header/],
  ['no token', { access_token: undefined }, /without an access_token/],
])('an answer with %s is no token, and is told at once', async (_, members, message) => {
  const tokens = manager(await answered({ status: 200, body: token(members) }))
  const error = await rejection(tokens.ready())
  expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', retryable: false })
  expect(error.cause).toMatchObject({ code: 'ERR_MISCONFIGURED', status: 200 })
  expect(error.cause.message).toMatch(message)
  expect(inspect(error)).not.toContain('abc')
})

const HTML = { status: 502, headers: { 'Content-Type': 'text/html' }, body: '<html>Bad gateway</html>' }
const RATE_LIMIT = { error: 'invalid_request', error_description: 'rate limit exceeded; slow down' }

test.each([
  ['200 with an error', { status: 200, body: token({ error: 'invalid_client' }) }, 'ERR_CREDENTIAL_REJECTED'],
  ['a gateway’s page', HTML, 'ERR_ENDPOINT'],
  ['a page with 200, such as a captive portal’s', { ...HTML, status: 200 }, 'ERR_ENDPOINT'],
  ['Genesys Cloud’s rate limit', { status: 400, body: RATE_LIMIT }, 'ERR_THROTTLED'],
])('%s is told for what it is', async (_, answer, code) => {
  const tokens = manager(await answered(answer))
  const { error } = await event(tokens, 'refresh-failed')
  expect(error).toMatchObject({ code, status: answer.status })
})

// A date counts from the server's own Date, however wrong the clock of either side is.
const DATE = 'Sun, 06 Nov 1994 08:48:37 GMT'

test.each([
  ['seconds', '60', 60_000, 66_001],
  ['a date of RFC 9110', 'Sun, 06 Nov 1994 08:49:37 GMT', 60_000, 66_001],
  ['a date of RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', 60_000, 66_001],
  ['a date of asctime', 'Sun Nov  6 08:49:37 1994', 60_000, 66_001],
  ['a day', '86400', 180_000, 180_001],
  ['nonsense', 'soon', 0, 2001],
])('Retry-After in the form of %s is obeyed within reason', async (_, value, least, most) => {
  const answer = { status: 429, headers: { Date: DATE, 'Retry-After': value }, body: {} }
  const tokens = manager(await answered(answer))
  const { error, at, nextAttemptAt } = await event(tokens, 'refresh-failed')
  expect(error.code).toBe('ERR_THROTTLED')
  expect(nextAttemptAt - at).toBeGreaterThanOrEqual(least)
  expect(nextAttemptAt - at).toBeLessThanOrEqual(most)
})

test('a description that repeats the secret is shown without it, and not without end', async () => {
  const secret = 'hunter2/+ %:é'
  const basic = Buffer.from(`app:${secret}`).toString('base64')
  const description = `no \u001b[31m${secret} or ${encodeURIComponent(secret)}\r\n${basic} ${'x'.repeat(5000)}`
  const answer = { status: 400, body: { error: 'invalid_client', error_description: description } }
  const tokens = manager(await answered(answer), {
    credentials: { clientId: 'app', clientSecret: secret },
  })
  const rejected = event(tokens, 'credential-rejected')
  const error = await rejection(tokens.ready())
  expect(error.cause.description).toHaveLength(256)
  const shown = [error, error.cause, await rejected, tokens.status(), tokens.health()]
  const texts = shown.flatMap((value) => [inspect(value, { depth: 9 }), JSON.stringify(value)])
  for (const text of [...texts, error.cause.message, error.cause.description]) {
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain(basic)
    expect(text).not.toContain('\u001b[31m')
  }
})
