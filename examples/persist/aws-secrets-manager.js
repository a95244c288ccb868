'use strict'

// Reads a client secret from AWS Secrets Manager, and writes a new one to it.
//
//   npm install @aws-sdk/client-secrets-manager
//
//   const { TokenManager, genesysCloud } = require('oauth-rotor')
//   const { secretsManager } = require('./aws-secrets-manager')
//
//   const vault = secretsManager({ secretId: 'pagerduty/oauth' })
//   const tokens = new TokenManager({
//     provider: genesysCloud({ region: 'sa_east_1' }),
//     credentials: { clientId: 'the client id', clientSecret: vault.read, persist: vault.persist },
//     sourcePollMs: 60_000, // each reading is a call that AWS bills
//   })
//
// All instances that read the secret follow within `sourcePollMs`. The role of the service needs
// secretsmanager:GetSecretValue and secretsmanager:PutSecretValue on this one secret.

const {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} = require('@aws-sdk/client-secrets-manager')

/**
 * Returns a function for `clientSecret` and one for `persist`. The secret is a JSON text
 * `{ clientId, clientSecret }`. Region and credentials are those of the SDK's `client`.
 */
function secretsManager({ secretId, client = new SecretsManagerClient(), timeoutMs = 10_000 }) {
  return {
    async read() {
      const command = new GetSecretValueCommand({ SecretId: secretId })
      const { SecretString } = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) })
      return JSON.parse(SecretString).clientSecret
    },

    async persist({ clientId, clientSecret }, { signal } = {}) {
      // The SDK makes a ClientRequestToken for each call. A token derived from the credential would
      // be wrong: AWS ignores a token that it has seen, so a rollback could not be written.
      const SecretString = JSON.stringify({ clientId, clientSecret })
      const command = new PutSecretValueCommand({ SecretId: secretId, SecretString })
      await client.send(command, { abortSignal: signal })
    },
  }
}

module.exports = { secretsManager }
