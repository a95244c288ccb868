'use strict'

// Reads a client secret from HashiCorp Vault (or OpenBao), and writes a new one to it: KV version
// 2.
//
//   const { TokenManager, genesysCloud } = require('oauth-rotor')
//   const { vaultKv } = require('./vault-kv')
//
//   const vault = vaultKv({ path: 'pagerduty/oauth' })
//   const tokens = new TokenManager({
//     provider: genesysCloud({ region: 'sa_east_1' }),
//     credentials: { clientId: 'the client id', clientSecret: vault.read, persist: vault.persist },
//   })
//
// All instances that read the path follow within `sourcePollMs`. The policy of the token:
//
//   path "secret/data/pagerduty/oauth" { capabilities = ["read", "create", "update"] }
//
// For a private certificate authority, set NODE_EXTRA_CA_CERTS.

/** How often to try, if somebody else writes between our reading and our writing. */
const ATTEMPTS = 5

/**
 * Returns a function for `clientSecret` and one for `persist`. The data has the keys `client_id`
 * and `client_secret`; its other keys stay unchanged. `token()` is called each time, so that it can
 * read what Vault Agent renews.
 */
function vaultKv({
  path,
  mount = 'secret',
  address = process.env.VAULT_ADDR,
  token = () => process.env.VAULT_TOKEN,
  timeoutMs = 10_000,
}) {
  const url = `${address}/v1/${mount}/data/${path.split('/').map(encodeURIComponent).join('/')}`

  async function call(method, signal, body) {
    const response = await fetch(url, {
      method,
      signal,
      redirect: 'error',
      headers: { 'x-vault-token': await token(), 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    })
    const answer = await response.json().catch(() => ({}))
    return { status: response.status, answer }
  }

  /**
   * Returns the data and its version, or 0 if there was never any. A deleted secret has a version.
   */
  async function latest(signal) {
    const { status, answer } = await call('GET', signal)
    if (status !== 200 && status !== 404) throw failure(status)
    return { data: answer.data?.data ?? {}, version: answer.data?.metadata?.version ?? 0 }
  }

  return {
    async read() {
      return (await latest(AbortSignal.timeout(timeoutMs))).data.client_secret
    },

    async persist({ clientId, clientSecret }, { signal } = {}) {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const { data, version } = await latest(signal)
        // Another instance was faster.
        if (data.client_id === clientId && data.client_secret === clientSecret) return
        // Check-and-set writes only if nobody has written since our reading.
        const written = { ...data, client_id: clientId, client_secret: clientSecret }
        const { status, answer } = await call('POST', signal, { options: { cas: version }, data: written })
        if (status === 200) return
        const isConflict = status === 400 && /check-and-set/.test(answer.errors?.join())
        if (!isConflict) throw failure(status)
      }
      throw failure(400)
    },
  }
}

/**
 * Only name and code are passed on: `Error (403)` in the event `persisted`. The function is called
 * again in 10 s.
 */
function failure(status) {
  return Object.assign(new Error(`Vault answered ${status}`), { code: status })
}

module.exports = { vaultKv }
