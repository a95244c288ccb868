'use strict'

const { constants } = require('node:os')

const { NativeUnavailableError } = require('../errors')
const { standIn } = require('./unavailable')
const manifest = require('../../package.json')

/**
 * The platforms that have a package of their own, `oauth-rotor-<platform>`: the directories of
 * npm/.
 */
const PLATFORMS = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-x64-msvc',
]

const platform = nameOfPlatform()

/**
 * A checkout has its addon beside package.json, and `napi` there says how it is built. The
 * published package.json has no `napi`.
 */
const isCheckout = manifest.napi !== undefined

function nameOfPlatform() {
  const { arch, platform } = process
  if (platform === 'win32') return `win32-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  // Only glibc has RTLD_DEEPBIND, and Node.js has the constants of the C library that it was built
  // with. So nothing has to be read or run to find out. An `os` that a test has replaced has
  // neither constant.
  const { RTLD_LAZY, RTLD_DEEPBIND } = constants?.dlopen ?? {}
  const isMusl = RTLD_LAZY !== undefined && RTLD_DEEPBIND === undefined
  return `linux-${arch}-${isMusl ? 'musl' : 'gnu'}`
}

/**
 * Loads the native part. Where there is none, returns something that throws when it is used, and
 * not before.
 */
function load() {
  // Every package is named in full. Bundlers find the files that way, no foreign package is ever
  // asked for, and the `main` of a package is not run. Nothing of a package is run before its
  // package.json has shown that it is ours. The `try` is for bundlers: without it, a package that
  // is not installed would be an error.
  try {
    if (isCheckout) return checked(besidePackageJson())
    switch (platform) {
      case 'darwin-arm64':
        expectOurs(require('oauth-rotor-darwin-arm64/package.json'))
        return checked(require('oauth-rotor-darwin-arm64/oauth-rotor.darwin-arm64.node'))
      case 'darwin-x64':
        expectOurs(require('oauth-rotor-darwin-x64/package.json'))
        return checked(require('oauth-rotor-darwin-x64/oauth-rotor.darwin-x64.node'))
      case 'linux-arm64-gnu':
        expectOurs(require('oauth-rotor-linux-arm64-gnu/package.json'))
        return checked(require('oauth-rotor-linux-arm64-gnu/oauth-rotor.linux-arm64-gnu.node'))
      case 'linux-arm64-musl':
        expectOurs(require('oauth-rotor-linux-arm64-musl/package.json'))
        return checked(require('oauth-rotor-linux-arm64-musl/oauth-rotor.linux-arm64-musl.node'))
      case 'linux-x64-gnu':
        expectOurs(require('oauth-rotor-linux-x64-gnu/package.json'))
        return checked(require('oauth-rotor-linux-x64-gnu/oauth-rotor.linux-x64-gnu.node'))
      case 'linux-x64-musl':
        expectOurs(require('oauth-rotor-linux-x64-musl/package.json'))
        return checked(require('oauth-rotor-linux-x64-musl/oauth-rotor.linux-x64-musl.node'))
      case 'win32-x64-msvc':
        expectOurs(require('oauth-rotor-win32-x64-msvc/package.json'))
        return checked(require('oauth-rotor-win32-x64-msvc/oauth-rotor.win32-x64-msvc.node'))
      default: {
        const known = PLATFORMS.join(', ')
        throw new NativeUnavailableError(
          `oauth-rotor has no native part for ${process.platform}-${process.arch}, only for ${known}. ` +
            'Build it from its sources.',
        )
      }
    }
  } catch (cause) {
    return standIn(cause, platform)
  }
}

/**
 * Bundlers follow no `require` that is made here; and only a checkout has Node.js load what makes
 * it.
 */
function besidePackageJson() {
  const { createRequire } = require('node:module')
  return createRequire(__filename)(`../../oauth-rotor.${platform}.node`)
}

/** A package of that name may be another version's, or somebody else's under an alias. */
function expectOurs({ name, version }) {
  if (name !== `oauth-rotor-${platform}`) refuse(`that of the package ${name}`)
  if (version !== manifest.version) refuse(`of version ${version}`)
}

function checked(addon) {
  // A bundler may have put something else in its place: nothing, or a file's name.
  if (typeof addon.attach !== 'function') throw new Error('The native part has none of its functions.')
  // A package.json can be wrong about its addon, and a bundle has none beside it.
  if (addon.VERSION !== manifest.version) refuse(`of version ${addon.VERSION ?? 'unknown'}`)
  return addon
}

function refuse(found) {
  const what = isCheckout ? `oauth-rotor.${platform}.node` : `oauth-rotor-${platform}`
  const remedy = isCheckout
    ? 'Build it again: npm run build.'
    : `Install oauth-rotor@${manifest.version} again, with its optional dependencies, and look for what keeps the ` +
      'other one in place: an alias or an override in package.json, a lock file, a node_modules further up, NODE_PATH.'
  throw new NativeUnavailableError(
    `The native part of oauth-rotor for this platform, ${what}, is ${found}, and this is oauth-rotor ` +
      `${manifest.version}, which works with its own alone. ${remedy}`,
  )
}

module.exports = load()
