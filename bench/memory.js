'use strict'

const { readFileSync } = require('node:fs')

/** The memory of this process that no other one shares and that was written to, in bytes; Linux alone tells it. */
function privateDirty() {
  try {
    const text = readFileSync('/proc/self/smaps_rollup', 'latin1')
    return Number(/^Private_Dirty:\s*(\d+) kB$/m.exec(text)[1]) * 1024
  } catch {
    return undefined
  }
}

module.exports = { privateDirty }
