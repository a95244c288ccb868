'use strict'

const { execFile } = require('node:child_process')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

/**
 * Runs a file that uses Genesys' own SDK, in a process of its own: the SDK reads a file of the home
 * directory, and the proxies of the environment. Resolves with its output.
 */
async function runWithSdk(file, ...values) {
  const home = mkdtempSync(join(tmpdir(), 'oauth-rotor-sdk-'))
  try {
    const env = { HOME: home, USERPROFILE: home }
    return await new Promise((resolve, reject) => {
      execFile(process.execPath, [file, ...values], { env }, (error, output) =>
        error ? reject(error) : resolve(output),
      )
    })
  } finally {
    rmSync(home, { recursive: true })
  }
}

/**
 * Logs in at a server of this machine with Genesys' own SDK; resolves with the token.
 *
 * A gateway without `path_params_login` leaves the path as it is at Genesys Cloud.
 */
function sdkLogin(port, { clientId, clientSecret }) {
  return runWithSdk(__filename, JSON.stringify({ port, clientId, clientSecret }))
}

async function logIn({ port, clientId, clientSecret }) {
  const { ApiClient } = require('purecloud-platform-client-v2')
  const client = ApiClient.instance
  client.setGateway({ protocol: 'http', host: '127.0.0.1', port })
  const { accessToken } = await client.loginClientCredentialsGrant(clientId, clientSecret)
  process.stdout.write(accessToken, () => process.exit())
}

if (require.main === module) logIn(JSON.parse(process.argv[2]))

module.exports = { runWithSdk, sdkLogin }
