'use strict'

const { NativeUnavailableError } = require('./errors')

/**
 * The native part. Where there is none, what says so is the first use of it: a program that only
 * needs the types or the errors can still load the package.
 */
function load() {
  try {
    return require('../native.js')
  } catch (cause) {
    return new Proxy({}, { get: () => refuse(cause) })
  }
}

function refuse(cause) {
  const target = `${process.platform}-${process.arch}`
  throw new NativeUnavailableError(
    `The native part of oauth-rotor for ${target} could not be loaded. Install with optional dependencies ` +
      '(npm install, without --omit=optional), on the platform that it will run on; ' +
      'in a checkout, build it with npm run build.',
    { cause },
  )
}

module.exports = load()
