'use strict'

const { envFile, secretFile } = require('./lib/options/persist')
const { genesysCloud, oauth2, pagerDuty } = require('./lib/options/provider')
const { fromDirectory, fromEnv, fromEnvFile, fromFile } = require('./lib/options/sources')
const { TokenManager } = require('./lib/token-manager')
const { WebhookSigner } = require('./lib/webhook-signer')
const { memorySeen } = require('./lib/webhook/repeats')

// This form is what Node.js reads the names from when an ES module imports the package.
module.exports = {
  TokenManager,
  WebhookSigner,
  genesysCloud,
  pagerDuty,
  oauth2,
  fromEnv,
  fromFile,
  fromDirectory,
  fromEnvFile,
  envFile,
  secretFile,
  memorySeen,
  ...require('./lib/errors'),
}
