'use strict'

// Opens a handle on each of the shared managers and a manager of its own, reads them until it is
// terminated.

const { parentPort, workerData } = require('node:worker_threads')
const { TokenManager, oauth2 } = require('../../..')

const { server, names } = workerData
const open = (options) =>
  new TokenManager({
    provider: oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
    ...options,
  })
const opened = [...names.map((name) => open({ name })), open()]
for (const tokens of opened) tokens.getToken().catch(() => {})
parentPort.postMessage('opened')

function read() {
  for (const tokens of opened) {
    tokens.peek()
    tokens.getToken().catch(() => {})
  }
  setImmediate(read)
}
read()
