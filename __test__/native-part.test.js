'use strict'

const { readdirSync } = require('node:fs')
const path = require('node:path')

const project = require('./support/project')
const { version } = require('../package.json')

const platforms = readdirSync(path.join(__dirname, '..', 'npm'))

const main = `
  const { TokenManager, NativeUnavailableError, oauth2 } = require('oauth-rotor')
  const provider = oauth2({ tokenUrl: 'https://idp.example' })
  try {
    new TokenManager({ provider, credentials: { clientId: 'app', clientSecret: 'secret' } })
  } catch (error) {
    console.log(error instanceof NativeUnavailableError, error.code, error.message)
  }`
/** Has the rest of the process take the system for another one. */
const pretend = `
  const fs = require('node:fs')
  const { PLATFORM, ARCH, LDD } = process.env
  const { readFileSync } = fs
  fs.readFileSync = (file, ...rest) => (file === '/usr/bin/ldd' ? LDD : readFileSync(file, ...rest))
  Object.defineProperty(process, 'platform', { value: PLATFORM })
  Object.defineProperty(process, 'arch', { value: ARCH })`
/** A fresh project that has the package, and no platform package. */
let directory
let tarballs

async function installed() {
  const made = project.createProject({ 'main.js': main, 'pretend.js': pretend })
  await project.install(made, [tarballs.main], ['--omit=optional'])
  return made
}

beforeAll(async () => {
  tarballs = await project.pack()
  directory = await installed()
})

afterAll(project.removeDirectories)

/** What is said when a manager is made there. */
async function message(env, cwd = directory) {
  const args = env ? ['--require', './pretend.js', 'main.js'] : ['main.js']
  const { output } = await project.node(args, { cwd, env })
  expect(output).toMatch(/^true ERR_NATIVE_UNAVAILABLE /)
  return output
}

test('requiring it is no error, and making a manager names the package and what to do', async () => {
  const name = path.basename(tarballs.platform).replace(`-${version}.tgz`, '')
  const text = await message()
  expect(text).toContain(
    `The package ${name}, the native part of oauth-rotor for this platform, is not installed.`,
  )
  expect(text).toContain('npm install, without --omit=optional')
})

test.each([
  [
    'linux-x64-gnu',
    { PLATFORM: 'linux', ARCH: 'x64', LDD: '#! /bin/bash\n# This file is part of the GNU C Library.' },
  ],
  ['linux-x64-musl', { PLATFORM: 'linux', ARCH: 'x64', LDD: 'musl libc (x86_64)' }],
  ['linux-arm64-musl', { PLATFORM: 'linux', ARCH: 'arm64', LDD: 'musl libc (aarch64)' }],
  ['darwin-arm64', { PLATFORM: 'darwin', ARCH: 'arm64' }],
  ['win32-x64-msvc', { PLATFORM: 'win32', ARCH: 'x64' }],
])('oauth-rotor-%s is named where it is missing', async (platform, env) => {
  expect(await message(env)).toContain(`The package oauth-rotor-${platform}, `)
})

test('a platform that is not supported is told so, with the ones that are', async () => {
  const text = await message({ PLATFORM: 'linux', ARCH: 's390x', LDD: '' })
  expect(text).toContain(`no native part for linux-s390x, only for ${platforms.join(', ')}.`)
})

test('one that is there and cannot be loaded is told with the reason', async () => {
  const broken = 'oauth-rotor.linux-x64-musl.node'
  const place = 'node_modules/oauth-rotor-linux-x64-musl'
  // Of its own: the other tests are about a project where it is missing.
  const own = await installed()
  project.write(own, `${place}/package.json`, JSON.stringify({ main: broken }))
  project.write(own, `${place}/${broken}`, 'not an addon')
  const text = await message({ PLATFORM: 'linux', ARCH: 'x64', LDD: 'musl libc' }, own)
  expect(text).toContain('oauth-rotor-linux-x64-musl, is here but could not be loaded: ')
  expect(text).toContain(broken)
})
