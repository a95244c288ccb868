'use strict'

// A worker that ends by itself, one way or another, in the middle of a fetch.

const { workerData } = require('node:worker_threads')
const { manager } = require('../world')

const { server, how } = workerData
manager(server)
  .getToken()
  .catch(() => {})
if (how === 'exit') process.exit(6)
if (how === 'throw') throw new Error('mine')
