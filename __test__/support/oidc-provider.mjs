// The server `oidc-provider` as a child process: it is an ES module, which Jest does not load.

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

/** Which secrets are accepted by client id, beside its own, and which were presented. */
const accepted = new Map()
const presented = []

const orders = {
  setSecrets: ({ clientId, secrets }) => void accepted.set(clientId, secrets),
  presented: () => presented,
}

process.once('message', async (clients) => {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(url, {
    clients: clients.map(({ id, secret, clientAuth }) => ({
      client_id: id,
      client_secret: secret,
      token_endpoint_auth_method: clientAuth === 'body' ? 'client_secret_post' : 'client_secret_basic',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'read',
    })),
    cookies: { keys: ['of the tests'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true },
    },
    jwks: { keys: [privateKey.export({ format: 'jwk' })] },
    scopes: ['read', 'write'],
    ttl: {
      ClientCredentials: (_, __, { clientId }) =>
        clients.find(({ id }) => id === clientId).lifetimeSeconds ?? 3600,
    },
  })
  // A client of this server has one secret. One that can be rotated has as many as it is told.
  const { prototype } = provider.Client
  const { compareClientSecret } = prototype
  prototype.compareClientSecret = function (secret) {
    const isAccepted = accepted.get(this.clientId)?.includes(secret) ?? compareClientSecret.call(this, secret)
    presented.push({ at: Date.now(), clientId: this.clientId, secret, isAccepted })
    return isAccepted
  }
  server.on('request', provider.callback())
  process.on('message', ({ id, order, values }) => process.send({ id, result: orders[order](values) }))
  process.send({ tokenUrl: `${url}/token`, introspectionUrl: `${url}/token/introspection` })
})
process.on('disconnect', () => process.exit())
