'use strict'

// A child process of node-versions.js: what a call costs while a token is held.
// node held-token.js <token URL> <project that has the package>

const { createRequire } = require('node:module')
const { join } = require('node:path')
const { CLIENT } = require('./client')
const { measure, variant } = require('./harness')

async function main([, , tokenUrl, project]) {
  const { TokenManager, oauth2 } = createRequire(join(project, 'main.js'))('oauth-rotor')
  const tokens = new TokenManager({
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: CLIENT.id, clientSecret: CLIENT.secret },
    strict: false,
  })
  const promise = Promise.resolve(await tokens.getToken())
  const [, { p10, ratio }] = await measure([
    variant('`await` of a cached promise', { promise }, 'await subject.promise'),
    variant('`await getToken()`', tokens, 'await subject.getToken()'),
  ])
  const figures = { version: process.version, nanos: p10, ratio }
  process.stdout.write(JSON.stringify(figures), () => process.exit())
}

main(process.argv)
