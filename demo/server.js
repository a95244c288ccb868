'use strict'

const { fakeAuthorizationServer } = require('../testing')

/**
 * The fake authorization server in a child process, so that a blocked event loop here does not slow
 * it down.
 *
 * `set({ outage: true })` turns its knobs, `respond(...answers)` has it give these to the next token
 * requests, `revoke(token)` ends tokens, `count()` tells what it saw.
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
  const call = (method, argument) =>
    new Promise((resolve) => {
      last += 1
      waiting.set(last, resolve)
      child.send({ id: last, method, argument })
    })
  const { url, tokenUrl } = await call('start', options)
  return {
    url,
    tokenUrl,
    set: (knobs) => call('set', knobs),
    respond: (...answers) => call('respond', answers),
    revoke: (token) => call('revoke', token),
    count: () => call('count'),
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
    set: (knobs) => server.set(knobs),
    respond: (answers) => server.respond(...answers),
    revoke: (token) => server.revoke(token),
    count: () => ({
      tokenRequests: server.requests.length,
      resourceRequests: server.resourceRequests.length,
    }),
  }
  process.on('message', async ({ id, method, argument }) => {
    process.send({ id, result: await methods[method](argument) })
  })
  process.on('disconnect', () => process.exit())
}

if (require.main === module) serveParent()

module.exports = { forkServer }
