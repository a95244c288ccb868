'use strict'

const { inspect } = require('node:util')
const { brotliCompressSync, deflateSync, gzipSync } = require('node:zlib')

const { wire } = require('./support/wire')
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
  ['beside an empty type', { expires_in: 60, token_type: '' }, 60_000],
  ['beside a type with a blank', { expires_in: 60, token_type: 'Bearer ' }, 60_000],
  ['beside an empty error', { expires_in: 60, error: '', error_description: '' }, 60_000],
])('expires_in that is %s gives a life', async (_, members, lifeMs) => {
  const provider = await answered({ status: 200, body: token(members) })
  const tokens = manager(provider, { provider: { defaultLifetimeMs: 120_000 } })
  expect(await tokens.getToken()).toBe('abc')
  const { issuedAt, expiresAt } = tokens.status().token
  expect(expiresAt - issuedAt).toBe(lifeMs)
})

test.each([
  ['Salesforce’s', '00D5e000000ABcd!AQEAQFY.s_'],
  ['Laravel’s', '12|laravelSanctumToken'],
  ['eBay’s', 'v^1.1#i^1#p^1#r^0'],
  ['one of odd characters', `a !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`],
])('%s token is handed out and reaches a resource as it is', async (_, text) => {
  const tokens = manager(await answered({ status: 200, body: token({ access_token: text }) }))
  expect(await tokens.getToken()).toBe(text)
  const resource = await wire()
  await fetch(resource.url, { headers: { authorization: `Bearer ${await tokens.getToken()}` } })
  expect(resource.requests[0].headers.authorization).toBe(`Bearer ${text}`)
})

test.each([
  ['a vendor’s type', { token_type: 'BearerToken' }, { treatAsBearer: true }, 60_000],
  ['another type', { token_type: 'Application Access Token' }, { treatAsBearer: true }, 60_000],
  ['a life of 0', { expires_in: 0 }, { ignoreExpiresIn: true, defaultLifetimeMs: 7_200_000 }, 7_200_000],
  ['a life of -1', { expires_in: -1 }, { ignoreExpiresIn: true }, 300_000],
  ['a life that is not meant', { expires_in: 1 }, { ignoreExpiresIn: true }, 300_000],
])('a token with %s is taken where an option says so', async (_, members, provider, lifeMs) => {
  const tokens = manager(await answered({ status: 200, body: token(members) }), { provider })
  expect(await tokens.getToken()).toBe('abc')
  const { issuedAt, expiresAt } = tokens.status().token
  expect(expiresAt - issuedAt).toBe(lifeMs)
})

test.each([
  ['a byte order mark', `\ufeff${JSON.stringify(token())}`, {}],
  ['gzip', gzipSync(JSON.stringify(token())), { 'Content-Encoding': 'gzip' }],
  ['gzip that nobody told of', gzipSync(JSON.stringify(token())), {}],
  ['Latin-1', Buffer.from(JSON.stringify(token({ scope: 'größer' })), 'latin1'), {}],
  ['a key that comes twice', `{"access_token":"old",${JSON.stringify(token()).slice(1)}`, {}],
])('a token in an answer with %s is not lost', async (_, body, headers) => {
  const tokens = manager(await answered({ status: 200, headers, body }))
  expect(await tokens.getToken()).toBe('abc')
})

test.each([
  ['an array', [token()], /did not answer with a JSON object/],
  ['a text', '"abc"', /did not answer with a JSON object/],
  ['more behind it', `${JSON.stringify(token())}\0`, /did not answer with a JSON object/],
  [
    'more than 1 MiB of gzip',
    gzipSync(JSON.stringify(token()).padEnd(2 ** 20 + 1)),
    /1 MiB when it is decom/,
  ],
  ['a bomb of gzip', gzipSync(Buffer.alloc(2 ** 26)), /1 MiB when it is decompressed/],
  ['deflate', deflateSync(JSON.stringify(token())), /coding deflate/, { 'Content-Encoding': 'deflate' }],
  ['brotli', brotliCompressSync(JSON.stringify(token())), /coding br/, { 'Content-Encoding': 'br' }],
  ['zstd', Buffer.from('28b52ffd0400010000', 'hex'), /coding zstd/, { 'Content-Encoding': 'zstd' }],
])('an answer that is %s is none, and is asked for again', async (_, body, message, headers = {}) => {
  const tokens = manager(await answered({ status: 200, headers, body }))
  const { error } = await event(tokens, 'refresh-failed')
  expect(error).toMatchObject({ code: 'ERR_ENDPOINT', status: 200, retryable: true })
  expect(error.message).toMatch(message)
  expect(await tokens.getToken()).toEqual(expect.any(String))
})

test.each([
  ['a life of zero', { expires_in: 0 }, /expired already.*ignoreExpiresIn.*defaultLifetimeMs/],
  ['a life below zero', { expires_in: -3600 }, /expired already.*ignoreExpiresIn/],
  ['a type that is not Bearer', { token_type: 'DPoP' }, /other than Bearer \(DPoP\).*treatAsBearer/],
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
  ['403 with Retry-After', { status: 403, headers: { 'Retry-After': '1' }, body: '<html>' }, 'ERR_THROTTLED'],
  ['403 with a rate limit’s code', { status: 403, body: { error: 'rate_limit_exceeded' } }, 'ERR_THROTTLED'],
  ['403 with its words', { status: 403, body: { message: 'API rate limit exceeded' } }, 'ERR_THROTTLED'],
  ['a firewall’s page', { ...HTML, status: 403 }, 'ERR_CREDENTIAL_REJECTED'],
])('%s is told for what it is', async (_, answer, code) => {
  const tokens = manager(await answered(answer))
  const { error } = await event(tokens, 'refresh-failed')
  expect(error).toMatchObject({ code, status: answer.status })
})

test.each([
  ['a page', '<!DOCTYPE html><pre>Cannot POST /oauth/token</pre>'],
  ['nothing', ''],
  ['JSON', { message: 'not found' }],
])('404 with %s is told at once, and says to check tokenUrl', async (_, body) => {
  const tokens = manager(await answered({ status: 404, body }), { acquireTimeoutMs: 3_600_000 })
  const error = await rejection(tokens.ready())
  expect(error.cause).toMatchObject({ code: 'ERR_MISCONFIGURED', status: 404 })
  expect(error.cause.message).toMatch(/check tokenUrl, also whether it has to end with a slash/)
  // It may have been a deployment: it is asked again.
  await event(tokens, 'token')
})

test.each([
  ['error_description', { error: 'invalid_scope', error_description: 'why' }],
  ['message', { error: 'invalid_scope', message: 'why' }],
  ['detail', { title: 'Bad Request', detail: 'why', status: 400 }],
  ['errorSummary', { errorCode: 'E0000021', errorSummary: 'why', errorId: 'x' }],
  ['error.message', { error: { message: 'why', code: 190 } }],
])('an explanation in %s is shown', async (_, body) => {
  const tokens = manager(await answered({ status: 400, body }))
  const { cause } = await rejection(tokens.ready())
  expect(cause).toMatchObject({ code: 'ERR_MISCONFIGURED', description: 'why' })
  expect(cause.message).toContain('why')
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

const EPOCH = Date.parse(DATE) / 1000

test.each([
  ['X-Retry-After', '60'],
  ['RateLimit-Reset', '60'],
  ['X-RateLimit-Reset', '60'],
  ['X-Rate-Limit-Reset', '60.0'],
  ['X-RateLimit-Reset', `${(EPOCH + 60) * 1000}`],
  ['X-RateLimit-Reset', '1994-11-06T08:49:37Z'],
  ['Retry-After-Ms', '60000'],
  ['RateLimit', '"default";r=0;t=60'],
])('%s: %s beside 429 is obeyed as Retry-After is', async (name, value) => {
  const wait = async (headers) => {
    const tokens = manager(await answered({ status: 429, headers: { Date: DATE, ...headers }, body: {} }))
    const { at, nextAttemptAt } = await event(tokens, 'refresh-failed')
    return nextAttemptAt - at
  }
  expect(await wait({ [name]: value })).toBeGreaterThanOrEqual(60_000)
  expect(await wait({ [name]: '999999999' })).toBeLessThanOrEqual(180_001)
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
