'use strict'

const { fork } = require('node:child_process')
const { join } = require('node:path')

const { CredentialRejectedError } = require('..')
const { closeAll, closing, event, manager, rejection } = require('./support/world')

afterEach(closeAll)

// RFC 6749 Appendix A.2 allows no other characters in a secret than these, and this server keeps to it.
const ODD = '/+ %:&=~"\'\\{}%2B'

/** A server that knows these clients, which the test's end stops. */
async function provider({ clients, lifetimeSeconds = 3600 }) {
  const child = fork(join(__dirname, 'support', 'oidc-provider.mjs'), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  closing({
    close: async () => {
      if (child.connected) child.disconnect()
      await exited
    },
  })
  child.send({ clients, lifetimeSeconds })
  return Promise.race([
    new Promise((resolve) => child.once('message', resolve)),
    exited.then(() => Promise.reject(new Error(output))),
  ])
}

/** What the server says about a token (RFC 7662). */
async function introspect({ introspectionUrl }, { id, secret }, token) {
  const encoded = [id, secret].map((text) => new URLSearchParams({ '': text }).toString().slice(1)).join(':')
  const response = await fetch(introspectionUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(encoded).toString('base64')}` },
    body: new URLSearchParams({ token }),
  })
  return response.json()
}

describe.each(['basic', 'body'])('client authentication %p', (clientAuth) => {
  test('is accepted, with every character that a secret may have', async () => {
    const client = { id: 'app', secret: ODD, clientAuth }
    const server = await provider({ clients: [client] })
    const tokens = manager(server, {
      provider: { clientAuth, scope: 'read' },
      credentials: { clientId: client.id, clientSecret: client.secret },
    })
    const token = await tokens.getToken()
    const { issuedAt, expiresAt } = tokens.status().token
    expect(expiresAt - issuedAt).toBe(3_600_000)
    if (clientAuth === 'basic') {
      expect(await introspect(server, client, token)).toMatchObject({ active: true, scope: 'read' })
    }
  })

  test('with a wrong secret is rejected, and the error says so', async () => {
    const server = await provider({ clients: [{ id: 'app', secret: ODD, clientAuth }] })
    const tokens = manager(server, {
      provider: { clientAuth },
      credentials: { clientId: 'app', clientSecret: `${ODD}!` },
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
    const clients = ['blue', 'green'].map((id) => ({ id, secret: `${id} ${ODD}`, clientAuth }))
    const tokens = manager(await provider({ clients }), {
      provider: { clientAuth },
      credentials: [
        { clientId: 'blue', clientSecret: 'its last secret' },
        { clientId: 'blue', clientSecret: `blue ${ODD}` },
        { clientId: 'green', clientSecret: `green ${ODD}` },
      ],
    })
    await tokens.ready()
    expect(tokens.status().credentials.map(({ state }) => state)).toEqual(['rejected', 'accepted', 'unknown'])
    expect(tokens.status().token.clientId).toBe('blue')
  })
})

test('a token that lives shortly is replaced while the server still honours it', async () => {
  const client = { id: 'app', secret: 'plain', clientAuth: 'basic' }
  const server = await provider({ clients: [client], lifetimeSeconds: 8 })
  const tokens = manager(server, {
    provider: { clientAuth: 'basic' },
    credentials: { clientId: client.id, clientSecret: client.secret },
    refreshBeforeMs: 4000,
  })
  const first = await tokens.getToken()
  const { serial, reason } = await event(tokens, 'token-retired')
  const second = tokens.peek()
  expect({ serial, reason }).toEqual({ serial: 1, reason: 'replaced' })
  expect(second).not.toBe(first)
  const [old, fresh] = await Promise.all([first, second].map((token) => introspect(server, client, token)))
  expect(fresh.active).toBe(true)
  expect(old.active).toBe(true)
  expect(fresh.exp).toBeGreaterThan(old.exp)
})

test('a scope that the client may not have is a mistake of the request, not of the credential', async () => {
  const tokens = manager(await provider({ clients: [{ id: 'app', secret: 'plain' }] }), {
    provider: { clientAuth: 'basic', scope: 'write' },
    credentials: { clientId: 'app', clientSecret: 'plain' },
  })
  const { cause } = await rejection(tokens.ready())
  expect(cause).toMatchObject({ code: 'ERR_MISCONFIGURED', status: 400, oauthError: 'invalid_scope' })
})
