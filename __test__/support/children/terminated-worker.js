'use strict'

// Opens a handle on each of the shared managers and a manager of its own, reads them until it is
// terminated.

const { parentPort, workerData } = require('node:worker_threads')
const { manager } = require('../world')

const { server, names } = workerData
const opened = names.map((name) => manager(server, { name }))
opened.push(manager(server))
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
