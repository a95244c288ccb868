'use strict'

const { fakeAuthorizationServer } = require('../lib/testing')

/**
 * The fake authorization server in a child process, so that a blocked event loop here does not slow
 * it down.
 *
 * `set({ outage: true })` turns its knobs, `respond(...answers)` has it give these to the next token
 * requests, `revoke(token)` ends tokens, `setSecrets(id, secrets)` and `regenerateSecret(id)` change
 * a client's secrets, `count()` tells how much it saw, `tokenRequests(from)` what it was asked, from the
 * request of that number on.
 */
async function forkServer(options) {
  const { fork } = require('node:child_process')
  const child = fork(__filename, [], { serialization: 'json' })
  let last = 0
  const waiting = new Map()
  child.on('message', ({ id, result }) => {
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  const call = (method, ...given) =>
    new Promise((resolve) => {
      last += 1
      waiting.set(last, resolve)
      child.send({ id: last, method, given })
    })
  const { url, tokenUrl } = await call('start', options)
  return {
    url,
    tokenUrl,
    set: (knobs) => call('set', knobs),
    respond: (...answers) => call('respond', ...answers),
    revoke: (token) => call('revoke', token),
    setSecrets: (id, secrets) => call('setSecrets', id, secrets),
    regenerateSecret: (id) => call('regenerateSecret', id),
    count: () => call('count'),
    tokenRequests: (from) => call('tokenRequests', from),
    close: () =>
      new Promise((resolve) => {
        child.once('exit', resolve)
        child.disconnect()
      }),
  }
}

function serveParent() {
  let server
  const methods = {
    start: async (options) => {
      server = await fakeAuthorizationServer(options)
      return { url: server.url, tokenUrl: server.tokenUrl }
    },
    // JSON has no undefined: without a token all are meant.
    revoke: (token) => server.revoke(token ?? undefined),
    count: () => ({
      tokenRequests: server.requests.length,
      resourceRequests: server.resourceRequests.length,
    }),
    tokenRequests: (from) => {
      const seen = server.requests.slice(from ?? 0)
      return seen.map(({ at, clientId, presented, status }) => ({ at, clientId, presented, status }))
    },
  }
  process.on('message', async ({ id, method, given }) => {
    const own = methods[method] ?? ((...values) => server[method](...values))
    process.send({ id, result: await own(...given) })
  })
  process.on('disconnect', () => process.exit())
}

if (require.main === module) serveParent()

module.exports = { forkServer }
