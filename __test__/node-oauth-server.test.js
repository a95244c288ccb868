'use strict'

const { createClock } = require('../lib/testing')
const { nodeOAuthServer } = require('./support/node-oauth-server')
const { settled } = require('./support/rotations')
const { closeAll, event, manager, rejection } = require('./support/world')

afterEach(closeAll)

// This server does not undo the form-encoding of HTTP Basic (RFC 6749 §2.3.1), as four of seven
// that were tried.
const ODD = 'aB3/+=~ %2B'
const PLAIN = 'aB3-plain_secret'

const credentials = (...secrets) => secrets.map((clientSecret) => ({ clientId: 'app', clientSecret }))

/** The status of a resource that this server guards. */
async function resource(server, token) {
  return (await fetch(server.resourceUrl, { headers: { authorization: `Bearer ${token}` } })).status
}

describe.each(['basic-raw', 'body'])('client authentication %p', (clientAuth) => {
  test('is accepted with every character that a secret may have, and its token is good', async () => {
    const server = await nodeOAuthServer({ clients: { app: [ODD] }, lifetimeSeconds: 600 })
    const tokens = manager(server, { provider: { clientAuth, scope: 'read' }, credentials: credentials(ODD) })
    const token = await tokens.getToken()
    const { issuedAt, expiresAt } = tokens.status().token
    // The server tells the whole seconds that are left when it answers.
    expect([599_000, 600_000]).toContain(expiresAt - issuedAt)
    expect(await resource(server, token)).toBe(200)
    expect(await resource(server, `${token}x`)).toBe(401)
  })

  test('with a wrong secret is rejected, and the error says so', async () => {
    const server = await nodeOAuthServer({ clients: { app: [ODD] } })
    const tokens = manager(server, { provider: { clientAuth }, credentials: credentials('wrong') })
    const { cause } = await rejection(tokens.ready())
    expect(cause).toMatchObject({
      code: 'ERR_CREDENTIAL_REJECTED',
      status: clientAuth === 'body' ? 400 : 401,
      oauthError: 'invalid_client',
      description: 'Invalid client: client is invalid',
      retryable: false,
    })
    expect(cause.message).toContain(`clientAuth '${clientAuth}'`)
  })

  test('falls back to the next credential when the first is wrong', async () => {
    const server = await nodeOAuthServer({ clients: { app: [ODD] } })
    const tokens = manager(server, { provider: { clientAuth }, credentials: credentials('wrong', ODD) })
    expect(await resource(server, await tokens.getToken())).toBe(200)
    expect(server.presented).toEqual(['wrong', ODD])
  })

  test('with a new secret is rotated to, and the old one may go', async () => {
    const server = await nodeOAuthServer({ clients: { app: [PLAIN] } })
    const tokens = manager(server, { provider: { clientAuth }, credentials: credentials(PLAIN) })
    await tokens.ready()
    server.setSecrets('app', [PLAIN, ODD])
    const rotation = await tokens.rotate({ clientSecret: ODD })
    expect(rotation.phase).toBe('overlap')
    server.setSecrets('app', [ODD])
    expect(await resource(server, await tokens.getToken())).toBe(200)
  })
})

describe('client authentication "basic"', () => {
  test('is accepted where form-encoding changes nothing', async () => {
    const server = await nodeOAuthServer({ clients: { app: [PLAIN] } })
    await manager(server, { provider: { clientAuth: 'basic' }, credentials: credentials(PLAIN) }).ready()
  })

  test('is rejected where it changes the secret, and the message says what to try', async () => {
    const server = await nodeOAuthServer({ clients: { app: [ODD] } })
    const tokens = manager(server, { provider: { clientAuth: 'basic' }, credentials: credentials(ODD) })
    const { cause } = await rejection(tokens.ready())
    expect(cause.code).toBe('ERR_CREDENTIAL_REJECTED')
    expect(cause.message).toContain("clientAuth 'basic'; they have characters which form-encoding changes")
    expect(cause.message).toContain("try 'basic-raw', then 'body'")
    expect(cause.message).not.toContain('aB3')
    await manager(server, { provider: { clientAuth: 'basic-raw' }, credentials: credentials(ODD) }).ready()
  })
})

test('a token that lives shortly is replaced while the server still honours it', async () => {
  const server = await nodeOAuthServer({ clients: { app: [PLAIN] }, lifetimeSeconds: 8 })
  const tokens = manager(server, { credentials: credentials(PLAIN), refreshBeforeMs: 6000 })
  const first = await tokens.getToken()
  expect(await event(tokens, 'token-retired')).toMatchObject({ serial: 1, reason: 'replaced' })
  const second = tokens.peek()
  expect(second).not.toBe(first)
  expect(await resource(server, first)).toBe(200)
  expect(await resource(server, second)).toBe(200)
})

test('a scope that is not allowed is a mistake of the request, not of the credential', async () => {
  const server = await nodeOAuthServer({ clients: { app: [PLAIN] } })
  const tokens = manager(server, { provider: { scope: 'write' }, credentials: credentials(PLAIN) })
  const { cause } = await rejection(tokens.ready())
  expect(cause).toMatchObject({ code: 'ERR_MISCONFIGURED', oauthError: 'invalid_scope' })
})

test('a secret that it does not even look at is told in its words', async () => {
  const server = await nodeOAuthServer({ clients: { app: [PLAIN] } })
  const tokens = manager(server, { provider: { clientAuth: 'body' }, credentials: credentials('hünter') })
  const { error } = await event(tokens, 'refresh-failed')
  expect(error).toMatchObject({
    status: 400,
    oauthError: 'invalid_request',
    description: 'Invalid parameter: `client_secret`',
  })
})

describe('a secret that it does not even look at', () => {
  // It answers 400 invalid_request, which elsewhere is about the request.
  const provider = { clientAuth: 'body' }
  const ODDER = 'hünter2'

  test('is not the end: the next credential is presented in the same round', async () => {
    const server = await nodeOAuthServer({ clients: { app: [PLAIN] } })
    const tokens = manager(server, { provider, credentials: credentials(ODDER, PLAIN) })
    const rejected = event(tokens, 'credential-rejected')
    expect(await resource(server, await tokens.getToken())).toBe(200)
    expect(await rejected).toMatchObject({ clientId: 'app', error: { oauthError: 'invalid_request' } })
  })

  test('is no candidate: the active one is accepted meanwhile', async () => {
    const clock = createClock()
    const server = await nodeOAuthServer({ clients: { app: [PLAIN] } })
    const tokens = manager(server, { clock, provider, credentials: credentials(PLAIN) })
    await tokens.ready()
    const error = await rejection(settled(clock, 60_000, tokens.rotate({ clientSecret: ODDER })))
    expect(error).toMatchObject({ code: 'ERR_CANDIDATE_REJECTED', retryable: false })
    expect(error.cause).toMatchObject({ status: 400, oauthError: 'invalid_request' })
    expect(await resource(server, await tokens.getToken())).toBe(200)
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1 })
  })
})
