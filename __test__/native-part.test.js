'use strict'

const { readFileSync, readdirSync, rmSync, symlinkSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const esbuild = require('esbuild')

const project = require('./support/project')
const { version } = require('../package.json')

const ESBUILD = path.join(__dirname, '..', 'node_modules', '.bin', 'esbuild')
const platforms = readdirSync(path.join(__dirname, '..', 'npm'))

const main = `
  const { TokenManager, NativeUnavailableError, oauth2 } = require('oauth-rotor')
  const provider = oauth2({ tokenUrl: 'https://idp.example' })
  try {
    new TokenManager({ provider, credentials: { clientId: 'app', clientSecret: 'secret' } }).close()
    console.log('made')
  } catch (error) {
    console.log(error instanceof NativeUnavailableError, error.code, error.message)
  }`
/** Has the rest of the process take the system for another one: musl has no RTLD_DEEPBIND. */
const pretend = `
  const Module = require('node:module')
  const os = require('node:os')
  const { PLATFORM, ARCH, LIBC } = process.env
  const dlopen = LIBC === 'glibc' ? { RTLD_LAZY: 1, RTLD_DEEPBIND: 8 } : { RTLD_LAZY: 1 }
  const { _load } = Module
  Module._load = (name, ...rest) =>
    name === 'node:os' ? { ...os, constants: { ...os.constants, dlopen } } : _load(name, ...rest)
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
  ['linux-x64-gnu', { PLATFORM: 'linux', ARCH: 'x64', LIBC: 'glibc' }],
  ['linux-x64-musl', { PLATFORM: 'linux', ARCH: 'x64', LIBC: 'musl' }],
  ['linux-arm64-gnu', { PLATFORM: 'linux', ARCH: 'arm64', LIBC: 'glibc' }],
  ['linux-arm64-musl', { PLATFORM: 'linux', ARCH: 'arm64', LIBC: 'musl' }],
  ['darwin-arm64', { PLATFORM: 'darwin', ARCH: 'arm64' }],
  ['win32-x64-msvc', { PLATFORM: 'win32', ARCH: 'x64' }],
])('oauth-rotor-%s is named where it is missing', async (platform, env) => {
  expect(await message(env)).toContain(`The package oauth-rotor-${platform}, `)
})

test('a platform that is not supported is told so, with the ones that are', async () => {
  const text = await message({ PLATFORM: 'linux', ARCH: 's390x', LIBC: 'glibc' })
  expect(text).toContain(`no native part for linux-s390x, only for ${platforms.join(', ')}.`)
})

describe('where Node.js may not load it', () => {
  let complete
  // Node.js 23.5 has the permission model without "experimental".
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'

  beforeAll(async () => {
    complete = project.createProject({ 'main.js': main })
    await project.install(complete, Object.values(tarballs))
  })

  const outputOf = async (args, env) => {
    const { output } = await project.node([...args, 'main.js'], { cwd: complete, env })
    return output
  }

  test.each([
    ['--no-addons', ['--no-addons'], {}],
    ['--no-addons in NODE_OPTIONS', [], { NODE_OPTIONS: '--no-addons' }],
    ['the permission model', [permission, '--allow-fs-read=*'], {}],
    ['the permission model with few files', [permission, `--allow-fs-read=${os.tmpdir()}`], {}],
  ])('%s is told, and what to do', async (_, args, env) => {
    const output = await outputOf(args, env)
    expect(output).toContain('true ERR_NATIVE_UNAVAILABLE ')
    expect(output).toContain('addons are disabled: Node.js runs with --no-addons, or with --permission')
    expect(output).toContain('without --allow-addons')
  })

  test('a package that may not be read is told', async () => {
    const readable = ['main.js', 'node_modules/oauth-rotor/'].map((name) => path.join(complete, name))
    const reads = readable.map((name) => `--allow-fs-read=${name}`)
    const output = await outputOf([permission, '--allow-addons', ...reads], {})
    expect(output).toContain('true ERR_NATIVE_UNAVAILABLE ')
    expect(output).toContain('may not be read: Node.js runs with --permission, and --allow-fs-read')
  })

  test('with what is missing it works', async () => {
    const flags = [permission, '--allow-addons', `--allow-fs-read=${complete}/`]
    expect(await outputOf(flags, {})).toContain('made')
  })
})

describe('in a bundle', () => {
  const lines = ['--external:oauth-rotor', "external: ['oauth-rotor']", '--loader:.node=copy']
  let complete

  beforeAll(async () => {
    complete = project.createProject({ 'main.js': main })
    await project.install(complete, Object.values(tarballs))
  })

  /** Bundles a project's program with esbuild, and runs it in a directory of its own. */
  async function bundled(from, options = {}) {
    const outdir = project.temporaryDirectory()
    const entryPoints = [path.join(from, 'main.js')]
    await esbuild.build({
      entryPoints,
      outdir,
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
      ...options,
    })
    const name = `${options.entryNames ?? 'main'}.js`
    return { outdir, run: async () => (await project.node([name], { cwd: outdir })).output }
  }

  describe('by the lines of docs/deploying.md', () => {
    const guide = readFileSync(path.join(__dirname, '..', 'docs', 'deploying.md'), 'utf8')
    const commands = [...guide.matchAll(/^npx esbuild (.*)$/gm)].map(([, options]) => options)
    const [, banner] = /^--banner:js="(.*)"$/m.exec(guide)

    /** Runs esbuild in a project as its user does; resolves with what the bundle prints. */
    async function made(options, directory = complete) {
      project.write(directory, 'server.js', main)
      rmSync(path.join(directory, 'dist'), { recursive: true, force: true })
      const built = await project.run(ESBUILD, options, { cwd: directory })
      expect(built).toMatchObject({ code: 0 })
      return (await project.node(['dist/server.js'], { cwd: directory })).output
    }

    test('there are one that leaves it out and one that copies', () => {
      expect(commands.map((options) => lines.filter((line) => options.includes(line)))).toEqual([
        ['--external:oauth-rotor'],
        ['--loader:.node=copy'],
      ])
    })

    test.each(commands)('(esbuild %s) it works', async (options) => {
      expect(await made(options.split(' '))).toBe('made\n')
    })

    test('an ES module works with the banner', async () => {
      const modules = project.createProject({})
      await project.install(modules, Object.values(tarballs))
      const options = [...commands[1].split(' '), '--format=esm']
      // Without it Node.js warns that it had to find out what the file is.
      project.write(modules, 'package.json', JSON.stringify({ private: true, type: 'module' }))
      expect(await made([...options, `--banner:js=${banner}`], modules)).toBe('made\n')
    })
  })

  test('esbuild makes none without being told what to do with the native part', async () => {
    await expect(bundled(complete)).rejects.toThrow('No loader is configured for ".node" files')
  })

  test('beside which the native part is copied, it works', async () => {
    const { run } = await bundled(complete, { loader: { '.node': 'copy' }, minify: true })
    expect(await run()).toContain('made')
  })

  test('from which it is left out, it works where it is installed', async () => {
    const { outdir, run } = await bundled(complete, { external: ['oauth-rotor'] })
    symlinkSync(path.join(complete, 'node_modules'), path.join(outdir, 'node_modules'), 'junction')
    expect(await run()).toContain('made')
  })

  test.each([
    ['made where it was not installed', () => bundled(directory)],
    ['that is named as files of the package are', () => bundled(directory, { entryNames: 'index' })],
    ['that holds nothing in its place', () => bundled(complete, { loader: { '.node': 'empty' } })],
    ['that holds the name of its file', () => bundled(complete, { loader: { '.node': 'file' } })],
    [
      'that went elsewhere without it',
      async () => {
        const made = await bundled(complete, { loader: { '.node': 'copy' } })
        const copies = readdirSync(made.outdir).filter((name) => name.endsWith('.node'))
        for (const name of copies) rmSync(path.join(made.outdir, name))
        return made
      },
    ],
  ])('%s, making a manager names the lines that are missing', async (_, make) => {
    const output = await (await make()).run()
    expect(output).toContain(
      'true ERR_NATIVE_UNAVAILABLE oauth-rotor is in a bundle without its native part.',
    )
    for (const line of lines) expect(output).toContain(line)
  })
})

test('one that is there and cannot be loaded is told with the reason', async () => {
  const broken = 'oauth-rotor.linux-x64-musl.node'
  const place = 'node_modules/oauth-rotor-linux-x64-musl'
  // Of its own: the other tests are about a project where it is missing.
  const own = await installed()
  project.write(own, `${place}/package.json`, JSON.stringify({ name: path.basename(place), version }))
  project.write(own, `${place}/${broken}`, 'not an addon')
  const text = await message({ PLATFORM: 'linux', ARCH: 'x64', LIBC: 'musl' }, own)
  expect(text).toContain('oauth-rotor-linux-x64-musl, is here but could not be loaded: ')
  expect(text).toContain(broken)
})
