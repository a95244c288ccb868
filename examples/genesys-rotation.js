'use strict'

// Replaces the secret of a Genesys Cloud OAuth client in place, without a failed request. The
// client's only secret dies when the new one is made; a fresh token (the runway) bridges the
// change.
//
//   node examples/genesys-rotation.js
//
// runs it against the fake server, with Genesys' own SDK, while a service sends requests. In
// production use `rotateInPlace`, a manager with `genesysCloud({ region })`, and an SDK that is
// logged in as another client or person with the permission oauth:client:edit and all roles of the
// client. docs/genesys.md has the steps.

const { setTimeout: pause } = require('node:timers/promises')
const { ApiClient, OAuthApi } = require('purecloud-platform-client-v2')
const { TokenManager, genesysCloud } = require('oauth-rotor')
const { fakeAuthorizationServer } = require('oauth-rotor/testing')

/**
 * How long to wait after a change, as Genesys' own Terraform provider does: an answer that comes
 * too early may be cached.
 */
const SETTLE_MS = 10_000
/** How long a fresh token must live. The shortest life that a client can have is 5 minutes. */
const RUNWAY_MS = 4 * 60_000
const ATTEMPTS = 3

/**
 * `keep(secret)` stores the new secret so that it survives this process: the answer of the API is
 * its only copy. Resolves with the rotation when the new secret is active and the old one is
 * retired.
 */
async function rotateInPlace({ tokens, oauthApi, clientId, keep, settleMs = SETTLE_MS }) {
  const preparation = await tokens.prepareRotation({ minRunwayMs: RUNWAY_MS })
  const clientSecret = await regenerate(oauthApi, clientId).catch(async (error) => {
    // Without `isOpen`, the old secret is unchanged. With it, the old secret may be dead, and the
    // preparation stays for the person who has the new one.
    if (!error.isOpen) await preparation.cancel()
    throw error
  })
  await keep(clientSecret)
  await pause(settleMs)
  const rotation = await tokens.rotate({ clientId, clientSecret, label: `since ${new Date().toISOString()}` })
  // The old secret is dead already, so there is nothing to go back to.
  return rotation.retireNow()
}

/**
 * A lost answer is a lost secret. Another request makes another secret, which is right, since
 * nobody has the previous one.
 */
async function regenerate(oauthApi, clientId) {
  for (let attempt = 1; ; attempt++) {
    try {
      const { secret } = await oauthApi.postOauthClientSecret(clientId)
      return secret
    } catch (error) {
      // With an answer, the SDK rejects with its body. Without one, it rejects with an error that
      // holds the administrator's token, so that error is not passed on.
      const isRefused = error.status >= 400 && error.status < 500 && error.status !== 408
      if (isRefused) {
        const message = `Genesys Cloud refuses a new secret: ${error.status} ${error.code}`
        throw new Error(message, { cause: error })
      }
      if (attempt === ATTEMPTS) {
        const message =
          'Whether the secret has changed is not known. Regenerate it by hand, and rotate to that one.'
        throw Object.assign(new Error(message), { isOpen: true })
      }
    }
    await pause(1000)
  }
}

/** A service that sends requests all the time; a 401 is repeated once, with another token. */
function startService(tokens, url) {
  const counts = { sent: 0, failed: 0 }
  const pending = new Set()
  const send = async (token) => (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status
  const request = async () => {
    counts.sent += 1
    try {
      const token = await tokens.getToken()
      let status = await send(token)
      if (status === 401) {
        tokens.invalidate(token)
        status = await send(await tokens.getToken())
      }
      if (status !== 200) counts.failed += 1
    } catch {
      counts.failed += 1
    }
  }
  const timer = setInterval(() => {
    const one = request().finally(() => pending.delete(one))
    pending.add(one)
  }, 20)
  return async () => {
    clearInterval(timer)
    await Promise.all(pending)
    return counts
  }
}

async function main() {
  const clientId = '7de3af06-c0b3-4f9b-af45-72f4a1403797'
  const admin = { id: '0c9b7a52-5f0e-4f6e-9d5c-1a1f3f0f8f11', secret: 'admin-secret' }
  const vault = { current: 'old-secret', pending: undefined }
  const server = await fakeAuthorizationServer({
    clients: { [clientId]: vault.current, [admin.id]: admin.secret },
    lifetimeMs: 300_000,
    newSecretPropagationMs: 500,
  })
  const tokens = new TokenManager({
    provider: genesysCloud({ host: server.url }),
    credentials: {
      label: 'vault',
      clientId,
      clientSecret: () => vault.current,
      persist: async ({ clientSecret }) => {
        vault.current = clientSecret
      },
    },
  })
  tokens.on('rotation', ({ change, generation }) => console.log(`${change} (generation ${generation})`))
  await tokens.ready()

  const client = ApiClient.instance
  client.setGateway({ protocol: 'http', host: '127.0.0.1', port: new URL(server.url).port })
  await client.loginClientCredentialsGrant(admin.id, admin.secret).catch(({ response }) => {
    // The SDK's error holds the secret.
    throw new Error(`the administrator cannot log in: ${response?.status ?? 'no answer'}`)
  })

  const stop = startService(tokens, `${server.url}/api/v2/conversations`)
  const keep = async (secret) => {
    vault.pending = secret
  }
  const rotation = await rotateInPlace({ tokens, oauthApi: new OAuthApi(), clientId, keep, settleMs: 1000 })
  const { sent, failed } = await stop()
  console.log(
    `${rotation.phase}, persisted: ${rotation.persisted}; the vault has the new secret: ${vault.current === vault.pending}`,
  )
  console.log(`${sent} requests, ${failed} failed`)
  await tokens.close()
  await server.close()
  process.exitCode = failed === 0 ? 0 : 1
}

if (require.main === module) main()

module.exports = { rotateInPlace }
