'use strict'

// A worker that calls the exports of the native part as it is told to, past the facade.

const { parentPort } = require('node:worker_threads')
const native = require('../../../lib/native/load')

// It has an attachment, as a worker that uses the package does.
const attachment = native.attach(() => {})
const words = new Int32Array(new SharedArrayBuffer(4096))
native.attachBlock(attachment, words)

parentPort.on('message', ([method, ...args]) => {
  const given = args.map((arg) => (arg === 'own attachment' ? attachment : arg))
  try {
    parentPort.postMessage({ answer: native[method](...given) })
  } catch (error) {
    parentPort.postMessage({ refused: error.message })
  }
})
