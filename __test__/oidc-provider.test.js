'use strict'

const { CredentialRejectedError } = require('..')
const { oidcProvider } = require('./support/oidc-provider')
const { closeAll, event, manager, rejection } = require('./support/world')

// RFC 6749 Appendix A.2 allows no other characters in a secret than these, and this server keeps to
// it.
const ODD = '/+ %:&=~"\'\\{}%2B'

const CLIENTS = [
  ...['basic', 'body'].flatMap((clientAuth) =>
    ['app', 'blue', 'green'].map((name) => ({
      id: `${name}-${clientAuth}`,
      secret: `${name} ${ODD}`,
      clientAuth,
    })),
  ),
  { id: 'brief', secret: 'plain', clientAuth: 'basic', lifetimeSeconds: 8 },
]
const clientOf = (id) => CLIENTS.find((client) => client.id === id)

/** The server, which knows these clients. */
let server

beforeAll(async () => {
  server = await oidcProvider(CLIENTS)
})
afterEach(closeAll)
afterAll(() => server.close())

describe.each(['basic', 'body'])('client authentication %p', (clientAuth) => {
  test('is accepted, with every character that a secret may have', async () => {
    const client = clientOf(`app-${clientAuth}`)
    const tokens = manager(server, {
      provider: { clientAuth, scope: 'read' },
      credentials: { clientId: client.id, clientSecret: client.secret },
    })
    const token = await tokens.getToken()
    const { issuedAt, expiresAt } = tokens.status().token
    expect(expiresAt - issuedAt).toBe(3_600_000)
    if (clientAuth === 'basic') {
      expect(await server.introspect(client, token)).toMatchObject({ active: true, scope: 'read' })
    }
  })

  test('with a wrong secret is rejected, and the error says so', async () => {
    const { id, secret } = clientOf(`app-${clientAuth}`)
    const tokens = manager(server, {
      provider: { clientAuth },
      credentials: { clientId: id, clientSecret: `${secret}!` },
    })
    const error = await rejection(tokens.ready())
    expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', retryable: false })
    expect(error.cause).toBeInstanceOf(CredentialRejectedError)
    expect(error.cause).toMatchObject({
      code: 'ERR_CREDENTIAL_REJECTED',
      status: 401,
      oauthError: 'invalid_client',
      description: 'client authentication failed',
    })
  })

  test('falls back to the next credential when the first is wrong', async () => {
    const [blue, green] = ['blue', 'green'].map((name) => clientOf(`${name}-${clientAuth}`))
    const tokens = manager(server, {
      provider: { clientAuth },
      credentials: [
        { clientId: blue.id, clientSecret: 'its last secret' },
        { clientId: blue.id, clientSecret: blue.secret },
        { clientId: green.id, clientSecret: green.secret },
      ],
    })
    await tokens.ready()
    const states = tokens.status().credentials.map(({ role, state }) => [role, state])
    expect(states).toEqual([
      ['active', 'accepted'],
      ['standby', 'unknown'],
      ['quarantined', 'rejected'],
    ])
    expect(tokens.status().token.clientId).toBe(blue.id)
  })
})

test('a token that lives shortly is replaced while the server still honours it', async () => {
  const client = clientOf('brief')
  const tokens = manager(server, {
    provider: { clientAuth: 'basic' },
    credentials: { clientId: client.id, clientSecret: client.secret },
    refreshBeforeMs: 6000,
  })
  const first = await tokens.getToken()
  const { serial, reason } = await event(tokens, 'token-retired')
  const second = tokens.peek()
  expect({ serial, reason }).toEqual({ serial: 1, reason: 'replaced' })
  expect(second).not.toBe(first)
  const [old, fresh] = await Promise.all([first, second].map((token) => server.introspect(client, token)))
  expect(fresh.active).toBe(true)
  expect(old.active).toBe(true)
  expect(fresh.exp).toBeGreaterThan(old.exp)
})

test('a scope that the client may not have is a mistake of the request, not of the credential', async () => {
  const { id, secret } = clientOf('brief')
  const tokens = manager(server, {
    provider: { clientAuth: 'basic', scope: 'write' },
    credentials: { clientId: id, clientSecret: secret },
  })
  const { cause } = await rejection(tokens.ready())
  expect(cause).toMatchObject({ code: 'ERR_MISCONFIGURED', status: 400, oauthError: 'invalid_scope' })
})
