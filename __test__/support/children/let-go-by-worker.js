'use strict'

// Waits for a token while a worker says of every attachment that nobody waits any more.

const { Worker } = require('node:worker_threads')
const { manager } = require('../world')

const { tokenUrl } = JSON.parse(process.argv[2])
const native = JSON.stringify(require.resolve('../../../lib/native/load'))
const letGo = `
  const native = require(${native})
  for (let time = 0; time < 100; time++) {
    for (let number = 0; number < 20; number++) {
      native.hold(number)
      native.release(number)
    }
  }`

manager({ tokenUrl })
  .getToken()
  .then((token) => console.log(`token ${token}`))
const worker = new Worker(letGo, { eval: true })
worker.once('exit', (code) => console.log(`worker ended with ${code}`))
