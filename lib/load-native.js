'use strict'

const { NativeUnavailableError } = require('./errors')

/** The native part, or an error that says what to do. */
function load() {
  try {
    return require('../native.js')
  } catch (cause) {
    const target = `${process.platform}-${process.arch}`
    throw new NativeUnavailableError(
      `The native part of oauth-rotor for ${target} could not be loaded. Install with optional dependencies ` +
        '(npm install, without --omit=optional), on the platform that it will run on; ' +
        'in a checkout, build it with npm run build.',
      { cause },
    )
  }
}

module.exports = load()
