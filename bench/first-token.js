'use strict'

// A child process of start-up.js: loads a client, gets one token, and tells what that took.
// node first-token.js <client> <token URL> <port of Redis>

const [, , client, tokenUrl, port] = process.argv

const CLIENTS = {
  none: () => {},
  'oauth-rotor': () => {
    const { TokenManager } = require('..')
    const { managerOptions } = require('./client')
    return new TokenManager(managerOptions({ tokenUrl })).getToken()
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
  process.stdout.write(JSON.stringify({ wallMs, cpuMs, rss: process.memoryUsage.rss() }), () =>
    process.exit(),
  )
}

main()
