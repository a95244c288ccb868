'use strict'

const diagnosticsChannel = require('node:diagnostics_channel')
const fs = require('node:fs')
const native = require('../../../lib/native/load')
const { ourThreads, until } = require('../process')

const { SEEN, KEPT } = process.env

/** What is left when the files are done, and once the managers that they kept are closed. */
module.exports = async () => {
  const left = native.managers()
  if (KEPT) diagnosticsChannel.channel(KEPT).publish()
  await until(() => {
    globalThis.gc?.()
    return native.managers() === 0 && ourThreads() === 0
  })
  fs.appendFileSync(SEEN, `${JSON.stringify({ left })}\n`)
}
