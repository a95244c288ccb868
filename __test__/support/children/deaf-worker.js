'use strict'

// A worker that holds a manager, and whose event loop is blocked for good once it has a token.

const { parentPort, workerData } = require('node:worker_threads')
const { manager } = require('../world')

const tokens = manager(workerData, { name: 'deaf' })
tokens.ready().then(() => {
  parentPort.postMessage('ready')
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})
