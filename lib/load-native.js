'use strict'

const { makeError } = require('./errors')

/** The native part, or an error that says what to do. */
function load() {
  try {
    return require('../native.js')
  } catch (cause) {
    const target = `${process.platform}-${process.arch}`
    throw makeError(
      'ERR_NATIVE_UNAVAILABLE',
      `The native part of oauth-rotor for ${target} could not be loaded. Install with optional dependencies ` +
        '(npm install, without --omit=optional), on the platform that it will run on; ' +
        'in a checkout, build it with npm run build.',
      { cause },
      load,
    )
  }
}

module.exports = load()
