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

/** The native part; where there is none, something that throws as soon as it is used, and not before. */
function load() {
  try {
    return require('../native.js')
  } catch (cause) {
    const message = explain(cause)
    const refuse = () => {
      throw new NativeUnavailableError(message, { cause })
    }
    return new Proxy({}, { get: refuse })
  }
}

/** Says which package is missing or broken, and what to do. The generated loader tells what it tried. */
function explain(cause) {
  const tried = messages(cause)
  const platform = PLATFORMS.find((name) => tried.some((text) => text.includes(`oauth-rotor.${name}.node`)))
  if (!platform) {
    const here = `${process.platform}-${process.arch}`
    return `oauth-rotor has no native part for ${here}, only for ${PLATFORMS.join(', ')}. Build it from its sources.`
  }
  const reason = tried.find((text) => !text.startsWith('Cannot find'))
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
