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
 * A checkout has its addon beside package.json, whose `napi` says how to build it. The published
 * package.json has no `napi`.
 */
const isCheckout = manifest.napi !== undefined

function nameOfPlatform() {
  const { arch, platform } = process
  if (platform === 'win32') return `win32-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  // Only glibc has RTLD_DEEPBIND, and Node.js has the constants of the C library that it was built
  // with. So no file has to be read and no program run. If a test has replaced `os`, both constants
  // are missing.
  const { RTLD_LAZY, RTLD_DEEPBIND } = constants?.dlopen ?? {}
  const isMusl = RTLD_LAZY !== undefined && RTLD_DEEPBIND === undefined
  return `linux-${arch}-${isMusl ? 'musl' : 'gnu'}`
}

/** Loads the native part. If that fails, returns an object that throws only when it is used. */
function load() {
  // Every file is named in full. So bundlers find it, no foreign package is ever requested, and no
  // `main` of a package runs. No code of a package runs before its package.json has shown that it
  // is ours. The `try` is also for bundlers: without it, a package that is not installed would be
  // an error.
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
 * Makes a `require` of its own, which bundlers do not follow. Only a checkout loads `node:module`
 * for it.
 */
function besidePackageJson() {
  const { createRequire } = require('node:module')
  return createRequire(__filename)(`../../oauth-rotor.${platform}.node`)
}

/** Throws if a package has another version, or is somebody else's under an alias. */
function expectOurs({ name, version }) {
  if (name !== `oauth-rotor-${platform}`) refuse(`that of the package ${name}`)
  if (version !== manifest.version) refuse(`of version ${version}`)
}

function checked(addon) {
  // A bundler may have replaced the addon with nothing, or with a file's name.
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
