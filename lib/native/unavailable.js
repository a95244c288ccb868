'use strict'

const { NativeUnavailableError } = require('../errors')

/**
 * Replaces a native part that could not be loaded. Every use throws an error that says what to do.
 */
function standIn(cause, platform) {
  const message = explain(cause, platform)
  const details = cause instanceof NativeUnavailableError ? {} : { cause }
  const refuse = () => {
    throw new NativeUnavailableError(message, details)
  }
  return new Proxy({}, { get: refuse })
}

function explain(cause, platform) {
  if (cause instanceof NativeUnavailableError) return cause.message
  if (cause.code === 'ERR_DLOPEN_DISABLED') {
    return (
      'oauth-rotor has a native part, and addons are disabled: Node.js runs with --no-addons, or with ' +
      '--permission and without --allow-addons. Start it without the one, or with the other.'
    )
  }
  if (cause.code === 'ERR_ACCESS_DENIED') {
    return (
      "oauth-rotor's native part may not be read: Node.js runs with --permission, and --allow-fs-read does not " +
      'name the directory of its package, oauth-rotor-<platform>. Allow node_modules as a whole.'
    )
  }
  if (cause.code !== 'ERR_DLOPEN_FAILED' && isBundled()) {
    return (
      'oauth-rotor is in a bundle without its native part. Leave it out of the bundle, and install it where ' +
      "that runs: --external:oauth-rotor (esbuild), external: ['oauth-rotor'] (esbuild's API, Rollup), " +
      "externals: { 'oauth-rotor': 'commonjs oauth-rotor' } (webpack). Or have esbuild put the native part " +
      'beside the bundle: --loader:.node=copy.'
    )
  }
  if (cause.code === 'MODULE_NOT_FOUND') {
    return (
      `The package oauth-rotor-${platform}, the native part of oauth-rotor for this platform, is not installed. ` +
      'Install with optional dependencies (npm install, without --omit=optional) on the platform that it will run on; ' +
      'a node_modules or a package-lock.json that was made on another one may lack it. ' +
      'In a checkout, build it with npm run build.'
    )
  }
  return (
    `The native part of oauth-rotor for this platform, oauth-rotor-${platform}, is here but could not be loaded: ` +
    `${String(cause.message).split('\n', 1)[0]}. Install it again on the system that it will run on.`
  )
}

/** Whether the user's bundler has moved this code to a file of its own, outside the package. */
function isBundled() {
  // Loaded only if the native part is missing.
  const { createRequire } = require('node:module')
  const path = require('node:path')
  try {
    const home = path.dirname(createRequire(__filename).resolve('oauth-rotor/package.json'))
    return !__filename.startsWith(home + path.sep)
  } catch {
    // A bundled file may not know its own name or where the package is.
    return true
  }
}

module.exports = { standIn }
