'use strict'

const { NativeUnavailableError } = require('./errors')

/** The platforms that have a package of their own, `oauth-rotor-<platform>`; the directories of npm/. */
const PLATFORMS = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-x64-msvc',
]

/** What a bundler leaves of this file's name, if anything, is that of the bundle. */
const isBundled = typeof __filename !== 'string' || !/[\\/]load-native\.js$/.test(__filename)

/** The native part; where there is none, something that throws as soon as it is used, and not before. */
function load() {
  try {
    const native = require('../native.js')
    if (typeof native.attach === 'function') return native
    // A bundler may have put something else in its place: nothing, or a file's name.
    return unavailable(new Error('The native part has none of its functions.'))
  } catch (cause) {
    return unavailable(cause)
  }
}

function unavailable(cause) {
  const message = explain(cause)
  const refuse = () => {
    throw new NativeUnavailableError(message, { cause })
  }
  return new Proxy({}, { get: refuse })
}

/** Says which package is missing or broken, and what to do. The generated loader tells what it tried. */
function explain(cause) {
  const tried = messages(cause)
  if (tried.some((text) => text.includes('loading addons is disabled'))) {
    return (
      'oauth-rotor has a native part, and addons are disabled: Node.js runs with --no-addons, or with ' +
      '--permission and without --allow-addons. Start it without the one, or with the other.'
    )
  }
  if (tried.some((text) => text.includes('Access to this API has been restricted'))) {
    return (
      "oauth-rotor's native part may not be read: Node.js runs with --permission, and --allow-fs-read does not " +
      'name the directory of its package, oauth-rotor-<platform>. Allow node_modules as a whole.'
    )
  }
  const platform = PLATFORMS.find((name) => tried.some((text) => text.includes(`oauth-rotor.${name}.node`)))
  const reason = tried.find((text) => !text.startsWith('Cannot find'))
  if (isBundled && (!platform || !reason)) {
    return (
      'oauth-rotor is in a bundle without its native part. Leave it out of the bundle, and install it where ' +
      "that runs: --external:oauth-rotor (esbuild), external: ['oauth-rotor'] (esbuild's API, Rollup), " +
      "externals: { 'oauth-rotor': 'commonjs oauth-rotor' } (webpack). Or have esbuild put the native part " +
      'beside the bundle: --loader:.node=copy.'
    )
  }
  if (!platform) {
    const here = `${process.platform}-${process.arch}`
    return `oauth-rotor has no native part for ${here}, only for ${PLATFORMS.join(', ')}. Build it from its sources.`
  }
  if (reason) {
    return (
      `The native part of oauth-rotor for this platform, oauth-rotor-${platform}, is here but could not be loaded: ` +
      `${reason.split('\n', 1)[0]}. Install it again on the system that it will run on.`
    )
  }
  return (
    `The package oauth-rotor-${platform}, the native part of oauth-rotor for this platform, is not installed. ` +
    'Install with optional dependencies (npm install, without --omit=optional) on the platform that it will run on; ' +
    'a node_modules or a package-lock.json that was made on another one may lack it. ' +
    'In a checkout, build it with npm run build.'
  )
}

/** The messages of an error and of all its causes. */
function messages(error) {
  return error ? [String(error.message), ...messages(error.cause)] : []
}

module.exports = load()
