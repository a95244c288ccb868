'use strict'

// A child process of start-up.js: loads a client, gets one token, and reports what that took.
// node first-token.js <client> <token URL> <project that has the package> <port of Redis>

const { createRequire } = require('node:module')
const { join } = require('node:path')
const { privateDirty } = require('./memory')

const [, , client, tokenUrl, project, port] = process.argv

const CLIENTS = {
  none: () => {},
  'oauth-rotor': () => {
    const { TokenManager, oauth2 } = createRequire(join(project, 'main.js'))('oauth-rotor')
    const { CLIENT } = require('./client')
    const provider = oauth2({ tokenUrl, clientAuth: 'basic-raw' })
    const credentials = { clientId: CLIENT.id, clientSecret: CLIENT.secret }
    return new TokenManager({ provider, credentials }).getToken()
  },
  axios: () => require('./peers').post(tokenUrl),
  'axios + ioredis': async () => {
    const peers = require('./peers')
    const { access_token } = await peers.post(tokenUrl)
    await peers.ioredis({ port }, access_token)
  },
}

async function main() {
  const begin = performance.now()
  const { user, system } = process.cpuUsage()
  await CLIENTS[client]()
  const wallMs = performance.now() - begin
  const cpu = process.cpuUsage()
  const cpuMs = (cpu.user + cpu.system - user - system) / 1000
  const figures = { wallMs, cpuMs, rss: process.memoryUsage.rss(), dirty: privateDirty() }
  process.stdout.write(JSON.stringify(figures), () => process.exit())
}

main()
