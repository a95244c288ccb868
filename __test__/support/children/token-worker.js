'use strict'

// A worker with one manager, which does what it is told and posts what comes of it.

const { parentPort, workerData } = require('node:worker_threads')
const { manager } = require('../world')

const tokens = manager(workerData.server, workerData.options)

parentPort.on('message', async (method) => {
  parentPort.postMessage(await tokens[method]())
})
