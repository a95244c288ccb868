'use strict'

const { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync } = require('node:fs')
const path = require('node:path')

const esbuild = require('esbuild')

const project = require('./support/project')
const manifest = require('../package.json')

const ROOT = path.join(__dirname, '..')
const platforms = readdirSync(path.join(ROOT, 'npm'))

const MAIN = `
  const { TokenManager, oauth2 } = require('oauth-rotor')
  const provider = oauth2({ tokenUrl: 'https://idp.example' })
  try {
    new TokenManager({ provider, credentials: { clientId: 'app', clientSecret: 'secret' } }).close()
    console.log('made')
  } catch (error) {
    console.log(error.code, error.message)
  }`
/** Tells of every addon that is about to be loaded, before any of its code runs. */
const WATCH = `
  const { dlopen } = process
  process.dlopen = (module, file, ...rest) => {
    console.log('dlopen ' + file)
    return dlopen(module, file, ...rest)
  }`
/** A program that is not ours. */
const PLANTED = `console.log('planted code runs')`

let tarballs
/** The name of this platform's package, and of the addon in it. */
let name
let addon
/** A project with both packages installed, which each test copies. */
let complete

beforeAll(async () => {
  tarballs = await project.pack()
  name = path.basename(tarballs.platform).replace(`-${manifest.version}.tgz`, '')
  addon = name.replace('oauth-rotor-', 'oauth-rotor.') + '.node'
  complete = project.createProject({ 'main.js': MAIN, 'watch.js': WATCH })
  await project.install(complete, [tarballs.main, tarballs.platform])
})
afterAll(project.removeDirectories)

/** A copy of the project, in a directory of its own further down in `above`. */
function copy(above = project.temporaryDirectory()) {
  const directory = path.join(realpathSync(above), 'project')
  cpSync(complete, directory, { recursive: true, filter: (file) => !file.endsWith('.npm-cache') })
  return directory
}

/** Writes a package that runs code of its own when it is asked for, whatever for. */
function plant(directory, planted, changes = {}) {
  const place = path.join('node_modules', planted)
  const contents = { name: planted, version: manifest.version, main: 'index.js', ...changes }
  project.write(directory, path.join(place, 'package.json'), JSON.stringify(contents))
  project.write(directory, path.join(place, 'index.js'), PLANTED)
}

/** Changes package.json of an installed package. */
function alter(directory, installed, changes) {
  const file = path.join('node_modules', installed, 'package.json')
  const contents = JSON.parse(readFileSync(path.join(directory, file), 'utf8'))
  project.write(directory, file, JSON.stringify({ ...contents, ...changes }))
}

/**
 * Has both installed packages take themselves for another version, the native part alone excepted.
 */
function disguise(directory, version) {
  for (const installed of ['oauth-rotor', name]) alter(directory, installed, { version })
  const file = path.join('node_modules', 'oauth-rotor', 'index.js')
  const parts = readFileSync(path.join(directory, file), 'utf8').split(`"${manifest.version}"`)
  expect(parts).toHaveLength(2)
  project.write(directory, file, parts.join(`"${version}"`))
}

/** What the program of a project says, a line each. */
async function said(directory, { env = {}, preload = './watch.js' } = {}) {
  const { output } = await project.node(['--require', preload, 'main.js'], { cwd: directory, env })
  return output.trim().split('\n')
}

const ours = (directory) => `dlopen ${path.join(directory, 'node_modules', name, addon)}`

describe('only the file of our own package is loaded', () => {
  test('which is the one that is installed', async () => {
    const directory = copy()
    expect(await said(directory)).toEqual([ours(directory), 'made'])
  })

  test.each([
    ['NAPI_RS_NATIVE_LIBRARY_PATH', 'planted.js'],
    ['NAPI_RS_FORCE_WASI', 'true'],
    ['NAPI_RS_FORCE_WASI', 'error'],
    ['NAPI_RS_ENFORCE_VERSION_CHECK', '0'],
  ])('whatever the environment says (%s=%s)', async (variable, value) => {
    const directory = copy()
    project.write(directory, 'planted.js', PLANTED)
    plant(directory, 'oauth-rotor-wasm32-wasi')
    const setting = value === 'planted.js' ? path.join(directory, value) : value
    expect(await said(directory, { env: { [variable]: setting } })).toEqual([ours(directory), 'made'])
  })

  test.each([
    ['the working directory', ''],
    ['our package', 'node_modules/oauth-rotor'],
    ['node_modules', 'node_modules'],
  ])('whatever lies in %s', async (_, place) => {
    const directory = copy()
    const planted = path.join(directory, place, addon)
    cpSync(path.join(directory, 'node_modules', name, addon), planted)
    expect(await said(directory)).toEqual([ours(directory), 'made'])
    rmSync(path.join(directory, 'node_modules', name), { recursive: true })
    expect(await said(directory)).toEqual([
      expect.stringMatching(/^ERR_NATIVE_UNAVAILABLE .* is not installed\./),
    ])
  })

  test('and not what its package.json has for main', async () => {
    const directory = copy()
    project.write(directory, path.join('node_modules', name, 'index.js'), PLANTED)
    alter(directory, name, { main: 'index.js' })
    expect(await said(directory)).toEqual([ours(directory), 'made'])
  })
})

describe('a package that we do not publish is never asked for', () => {
  const pretend = `
    const os = require('node:os')
    const Module = require('node:module')
    const { PLATFORM, ARCH } = process.env
    Object.defineProperty(process, 'platform', { value: PLATFORM })
    Object.defineProperty(process, 'arch', { value: ARCH })
    const { _load } = Module
    Module._load = (name, ...rest) => {
      if (/^oauth-rotor-/.test(name)) console.log('asks for ' + name)
      return _load(name, ...rest)
    }`

  test.each([
    ['freebsd', 'x64', ['oauth-rotor-freebsd-x64']],
    ['android', 'arm64', ['oauth-rotor-android-arm64']],
    ['win32', 'arm64', ['oauth-rotor-win32-arm64-msvc']],
    ['win32', 'x64', ['oauth-rotor-win32-x64-gnu']],
    ['linux', 'arm', ['oauth-rotor-linux-arm-gnueabihf', 'oauth-rotor-linux-arm-musleabihf']],
    ['linux', 'riscv64', ['oauth-rotor-linux-riscv64-gnu', 'oauth-rotor-linux-riscv64-musl']],
    ['darwin', 'arm64', ['oauth-rotor-darwin-universal']],
    ['../../evil', 'x64', ['oauth-rotor-evil-x64']],
  ])('on %s-%s', async (platform, arch, foreign) => {
    const directory = copy()
    project.write(directory, 'pretend.js', pretend)
    for (const planted of [...foreign, 'oauth-rotor-wasm32-wasi']) plant(directory, planted)
    const env = { PLATFORM: platform, ARCH: arch }
    const lines = await said(directory, { env, preload: './pretend.js' })
    const published = platforms.map((each) => `asks for oauth-rotor-${each}/package.json`)
    const asked = lines.filter((line) => line.startsWith('asks for '))
    expect(asked.filter((line) => !published.includes(line))).toEqual([])
    expect(lines.slice(asked.length)).toEqual([expect.stringMatching(/^ERR_NATIVE_UNAVAILABLE /)])
    expect(lines).not.toContain('planted code runs')
  })

  test('since the loader names those of npm/ and no other', () => {
    const files = ['load.js', 'unavailable.js']
    const text = files.map((file) => readFileSync(path.join(ROOT, 'lib', 'native', file), 'utf8')).join('')
    const required = [...text.matchAll(/require\('(oauth-rotor-.*?)'\)/g)].map(([, file]) => file)
    expect(required).toEqual(
      platforms.flatMap((each) => [
        `oauth-rotor-${each}/package.json`,
        `oauth-rotor-${each}/oauth-rotor.${each}.node`,
      ]),
    )
  })
})

describe('a native part that is not of this very version is refused', () => {
  const refused = (found) =>
    `ERR_NATIVE_UNAVAILABLE The native part of oauth-rotor for this platform, ${name}, is ${found}, and this is ` +
    `oauth-rotor ${manifest.version}, which works with its own alone. Install oauth-rotor@${manifest.version} again`
  const expectRefused = async (directory, found, options) => {
    const lines = await said(directory, options)
    expect(lines).toEqual([expect.stringContaining(refused(found))])
  }

  test('before any of its code runs', async () => {
    const directory = copy()
    alter(directory, name, { version: '0.0.9', main: 'index.js' })
    project.write(directory, path.join('node_modules', name, 'index.js'), PLANTED)
    await expectRefused(directory, 'of version 0.0.9')
  })

  test('also one that npm has put further up', async () => {
    const above = project.temporaryDirectory()
    const directory = copy(above)
    mkdirSync(path.join(above, 'node_modules'))
    cpSync(path.join(directory, 'node_modules', name), path.join(above, 'node_modules', name), {
      recursive: true,
    })
    rmSync(path.join(directory, 'node_modules', name), { recursive: true })
    alter(above, name, { version: '0.2.0' })
    await expectRefused(directory, 'of version 0.2.0')
  })

  test('also one that NODE_PATH leads to', async () => {
    const directory = copy()
    rmSync(path.join(directory, 'node_modules', name), { recursive: true })
    const elsewhere = project.temporaryDirectory()
    plant(elsewhere, name, { version: '9.9.9' })
    const env = { NODE_PATH: path.join(elsewhere, 'node_modules') }
    await expectRefused(directory, 'of version 9.9.9', { env })
  })

  test('also somebody else’s package under an alias', async () => {
    const directory = copy()
    alter(directory, name, { name: 'oauth-rotor-fork' })
    await expectRefused(directory, 'that of the package oauth-rotor-fork')
  })

  test('also where only the addon itself knows', async () => {
    const directory = copy()
    disguise(directory, '0.9.0')
    expect(await said(directory)).toEqual([
      ours(directory),
      expect.stringContaining(`${name}, is of version ${manifest.version}, and this is oauth-rotor 0.9.0,`),
    ])
  })

  test('also in a bundle', async () => {
    const directory = copy()
    disguise(directory, '0.9.0')
    const outdir = path.join(directory, 'dist')
    const loader = { '.node': 'copy' }
    const entryPoints = [path.join(directory, 'main.js')]
    await esbuild.build({ entryPoints, outdir, bundle: true, platform: 'node', logLevel: 'silent', loader })
    const { output } = await project.node(['main.js'], { cwd: outdir })
    expect(output).toContain(`${name}, is of version ${manifest.version}, and this is oauth-rotor 0.9.0,`)
  })
})

test('the platform is known without a report, a child process or a file of the system', async () => {
  const directory = copy()
  const refuse = `
    const fs = require('node:fs')
    const path = require('node:path')
    const children = require('node:child_process')
    const refuse = (what) => () => {
      console.log('uses ' + what)
      throw new Error(what)
    }
    for (const name of ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync']) {
      children[name] = refuse(name)
    }
    process.report.getReport = refuse('getReport')
    for (const name of ['existsSync', 'openSync', 'readFileSync', 'readdirSync', 'statSync']) {
      const real = fs[name]
      fs[name] = (file, ...rest) => {
        const isInside = typeof file !== 'string' || path.resolve(file).startsWith(__dirname)
        return isInside ? real(file, ...rest) : refuse(name + ' ' + file)()
      }
    }`
  project.write(directory, 'refuse.js', refuse)
  expect(await said(directory, { preload: './refuse.js' })).toEqual(['made'])
})

test('a checkout whose addon is of another version is told to build it again', async () => {
  const directory = project.temporaryDirectory()
  for (const file of ['index.js', 'lib', addon]) {
    cpSync(path.join(ROOT, file), path.join(directory, file), { recursive: true })
  }
  const older = JSON.stringify({ ...manifest, version: '0.0.9' })
  project.write(directory, 'package.json', older)
  project.write(directory, 'main.js', MAIN.replace("'oauth-rotor'", "'.'"))
  const { output } = await project.node(['main.js'], { cwd: directory })
  expect(existsSync(path.join(directory, 'node_modules'))).toBe(false)
  expect(output).toContain(`${addon}, is of version ${manifest.version}, and this is oauth-rotor 0.0.9`)
  expect(output).toContain('npm run build')
})
