'use strict'

const { fork } = require('node:child_process')
const { join } = require('node:path')

/**
 * The server `oidc-provider` with these clients: `{ id, secret, clientAuth, lifetimeSeconds }`.
 *
 * `setSecrets(clientId, secrets)` says which it accepts of that client from now on, `presented()`
 * tells which secrets it has seen and whether they were accepted, `introspect({ id, secret },
 * token)` what it says about a token (RFC 7662) to this client.
 */
async function oidcProvider(clients) {
  const child = fork(join(__dirname, 'oidc-provider.mjs'), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // The server may need a later Node.js than the one that the tests run with: npm's own.
    execPath: process.env.npm_node_execpath ?? process.execPath,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.send(clients)
  const urls = await Promise.race([
    new Promise((resolve) => child.once('message', resolve)),
    exited.then(() => Promise.reject(new Error(output))),
  ])
  let last = 0
  const waiting = new Map()
  child.on('message', ({ id, result }) => waiting.get(id)(result))
  const ask = (order, values) =>
    new Promise((resolve) => {
      last += 1
      waiting.set(last, resolve)
      child.send({ id: last, order, values })
    })
  return {
    ...urls,
    introspect: (client, token) => introspect(urls.introspectionUrl, client, token),
    setSecrets: (clientId, secrets) => ask('setSecrets', { clientId, secrets }),
    presented: () => ask('presented'),
    close: () => {
      if (child.connected) child.disconnect()
      return exited
    },
  }
}

async function introspect(url, { id, secret }, token) {
  const encoded = [id, secret].map((text) => new URLSearchParams({ '': text }).toString().slice(1)).join(':')
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(encoded).toString('base64')}` },
    body: new URLSearchParams({ token }),
  })
  return response.json()
}

module.exports = { oidcProvider }
