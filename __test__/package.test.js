'use strict'

const { existsSync, readdirSync, readFileSync, statSync } = require('node:fs')
const path = require('node:path')

const project = require('./support/project')
const { server, closeAll } = require('./support/world')

const ROOT = path.join(__dirname, '..')
const JEST = path.join(path.dirname(require.resolve('jest/package.json')), 'bin', 'jest.js')
/** Not bin/tsc: an ES module without an extension is nothing that Node.js 20.3 loads. */
const TSC = path.join(path.dirname(require.resolve('typescript/package.json')), 'lib', 'tsc.js')
const manifest = require('../package.json')
const platforms = readdirSync(path.join(ROOT, 'npm'))

/** Both tarballs, as they would be published, of the addon that was built last. */
let tarballs
/** A fresh project with the package installed, to which each test adds its own files. */
let directory

beforeAll(async () => {
  tarballs = await project.pack()
  directory = project.createProject({})
  await project.install(directory, [tarballs.main, tarballs.platform])
})
afterEach(closeAll)
afterAll(project.removeDirectories)

/** What a program of a project answers, which gets the token endpoint's URL and prints a token. */
async function expectToken(args, cwd) {
  const provider = await server()
  const { code, output } = await project.node(args, { cwd, env: { TOKEN_URL: provider.tokenUrl } })
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/\btoken of 86 characters\b/) })
  expect(provider.requests.map(({ status }) => status)).toEqual([200])
}

const USE = `
const tokens = new TokenManager({
  provider: oauth2({ tokenUrl: process.env.TOKEN_URL, clientAuth: 'basic-raw' }),
  credentials: { clientId: 'app', clientSecret: 'secret' },
})
const say = (token) => console.log('token of ' + token.length + ' characters')
`

describe('in a fresh project', () => {
  test('require works, and nothing keeps the process', async () => {
    const main = `const { TokenManager, oauth2 } = require('oauth-rotor')\n${USE}tokens.getToken().then(say)`
    project.write(directory, 'require.cjs', main)
    await expectToken(['require.cjs'], directory)
  })

  test('import works, with names', async () => {
    const main = `import { TokenManager, oauth2 } from 'oauth-rotor'\n${USE}say(await tokens.getToken())`
    project.write(directory, 'import.mjs', main)
    await expectToken(['import.mjs'], directory)
  })

  // No HTTP client is installed there.
  test('the adapters load without their libraries, and without the native part', async () => {
    const report = `
      const native = () => process.report.getReport().sharedObjects.filter((file) => file.endsWith('.node')).length
      const names = [a, b, c, d, e].map(({ name }) => name).join(' ')`
    const required = `
      const { attach: a } = require('oauth-rotor/axios')
      const { createFetch: b } = require('oauth-rotor/fetch')
      const { attach: c } = require('oauth-rotor/genesys')
      const { createInterceptor: d } = require('oauth-rotor/undici')
      const { expressRawBody: e } = require('oauth-rotor/raw-body')
      ${report}
      console.log(names, native())`
    const imported = `
      import { attach as a } from 'oauth-rotor/axios'
      import { createFetch as b } from 'oauth-rotor/fetch'
      import { attach as c } from 'oauth-rotor/genesys'
      import { createInterceptor as d } from 'oauth-rotor/undici'
      import { expressRawBody as e } from 'oauth-rotor/raw-body'
      ${report}
      const before = native()
      const { TokenManager, oauth2 } = await import('oauth-rotor')
      ${USE}
      console.log(names, before, native())
      await tokens.close()`
    project.write(directory, 'adapters.cjs', required)
    project.write(directory, 'adapters.mjs', imported)
    const env = { TOKEN_URL: 'http://127.0.0.1:1' }
    const outputs = ['adapters.cjs', 'adapters.mjs'].map((file) =>
      project.node([file], { cwd: directory, env }),
    )
    const names = 'attach createFetch attach createInterceptor expressRawBody'
    expect(await Promise.all(outputs)).toEqual([
      { code: 0, output: `${names} 0\n` },
      { code: 0, output: `${names} 0 1\n` },
    ])
  })

  test('a Jest test requires it as it is, also under fake timers', async () => {
    const userTest = `jest.useFakeTimers()
      const { TokenManager, oauth2 } = require('oauth-rotor')
      ${USE}
      afterAll(() => tokens.close())
      test('a token comes', async () => {
        const token = await tokens.getToken()
        jest.runAllTimers()
        expect(token).toBe(tokens.peek())
        say(token)
      })`
    const config = JSON.stringify({ rootDir: '.', cacheDirectory: './.jest-cache' })
    project.write(directory, 'jest/token.test.js', userTest)
    project.write(directory, 'jest/jest.config.json', config)
    await expectToken([JEST], path.join(directory, 'jest'))
  })
})

describe('in a fresh TypeScript project', () => {
  const source = `
import { TokenManager, isRotorError, oauth2, type TokenManagerOptions, type TokenSource } from 'oauth-rotor'
import { createFetch } from 'oauth-rotor/fetch'

/** As a service may write it: the options typed, the manager behind an interface. */
export async function main(tokenUrl: string): Promise<number> {
  const options: TokenManagerOptions = {
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
    timeZone: undefined,
  }
  const manager = new TokenManager(options)
  manager.on('token', ({ serial }) => serial.toFixed())
  const tokens: TokenSource = manager
  try {
    const length = (await tokens.getToken({ minValidityMs: 1000 })).length
    const send = async (url: string, init: { headers: Iterable<[string, string]> }) => ({
      status: 200,
      headers: new Map([...init.headers, ['url', url]]),
    })
    const api = createFetch(tokens, { origins: ['https://api.example'], fetch: send })
    const { headers } = await api('https://api.example/me', { headers: [] })
    return headers.get('authorization') === 'Bearer ' + manager.peek() ? length : 0
  } catch (error) {
    if (isRotorError(error) && error.code === 'ERR_TOKEN_UNAVAILABLE') return error.retryAfterMs ?? 0
    throw error
  }
}
`
  const run = (file) =>
    `import('./${file}').then(({ main }) => main(process.env.TOKEN_URL)).then((length) => console.log('token of ' + length + ' characters'))`
  const setups = [
    ['commonjs', { module: 'commonjs' }, 'main.ts'],
    ['node16, from CommonJS', { module: 'node16' }, 'main.cts'],
    ['node16, from an ES module', { module: 'node16' }, 'main.mts'],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, 'main.mts'],
  ]

  beforeAll(() => project.link(directory, '@types/node'))

  describe.each([
    ['with @types/node', ['node']],
    ['without @types/node', []],
  ])('%s', (what, types) => {
    test.each(setups)('%s compiles strictly, and runs', async (name, options, file) => {
      const place = `${name} ${what}`.replace(/\W+/g, '-')
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2022'],
        types,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        ...options,
      }
      const config = JSON.stringify({ compilerOptions, files: [file] })
      project.write(directory, `${place}/tsconfig.json`, config)
      project.write(directory, `${place}/${file}`, source)
      project.write(directory, `${place}/run.cjs`, run(file.replace('ts', 'js')))
      const cwd = path.join(directory, place)
      expect(await project.node([TSC, '-p', '.'], { cwd })).toEqual({ code: 0, output: '' })
      await expectToken(['run.cjs'], cwd)
    })
  })
})

const PAGES = [
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'README.md',
  'SECURITY.md',
  'bench/RESULTS.md',
]

describe('what is published', () => {
  const filesOf = (directory) =>
    readdirSync(directory, { recursive: true })
      .filter((file) => statSync(path.join(directory, file)).isFile())
      .map((file) => file.split(path.sep).join('/'))
      .sort()
  const installed = (name) => path.join(directory, 'node_modules', name)

  test('is what is meant to be, and depends on every platform package at the same version', () => {
    const entries = Object.entries(manifest.exports).filter(([, entry]) => entry.types)
    const names = entries.map(([name]) => (name === '.' ? 'index' : name.slice(2)))
    const scripts = [...names, 'core', 'adapters'].map((name) => `${name}.js`)
    const meant = [
      ...[...scripts, ...scripts.map((file) => `${file}.map`), ...names.map((name) => `${name}.d.ts`)],
      ...entries.map(([, { types }]) => path.posix.normalize(types)),
      ...['docs', 'examples'].flatMap((folder) =>
        filesOf(path.join(ROOT, folder)).map((file) => `${folder}/${file}`),
      ),
      ...PAGES,
      ...['LICENSE', 'package.json'],
    ]
    expect(filesOf(installed(manifest.name))).toEqual([...new Set(meant)].sort())
    const file = path.join(installed(manifest.name), 'package.json')
    const published = JSON.parse(readFileSync(file, 'utf8'))
    expect(published.optionalDependencies).toEqual(
      Object.fromEntries(platforms.map((platform) => [`oauth-rotor-${platform}`, manifest.version])),
    )
    expect(published).not.toHaveProperty('scripts')
    expect(published).not.toHaveProperty('devDependencies')
    expect(published.files).not.toContain('lib')
  })

  // Also of an optional peer, npm refuses to install a version that is out of range, for users
  // without the adapter, too.
  test('lets its users have any version of the libraries that it can work with', () => {
    const { peerDependencies, peerDependenciesMeta } = manifest
    for (const [name, range] of Object.entries(peerDependencies)) {
      expect({ range, ...peerDependenciesMeta[name] }).toEqual({ range: '*', optional: true })
    }
  })

  test('has every page that its pages for users lead to', () => {
    const home = installed(manifest.name)
    const pages = ['README.md', ...filesOf(path.join(home, 'docs')).map((file) => `docs/${file}`)]
    const links = pages.flatMap((page) => {
      const text = readFileSync(path.join(home, page), 'utf8')
      const files = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, file]) => file)
      return files.map((file) => path.join(path.dirname(page), file))
    })
    expect(links.length).toBeGreaterThan(30)
    expect(links.filter((file) => !existsSync(path.join(home, file)))).toEqual([])
  })

  test('has one file of its own in the platform package', () => {
    const name = path.basename(tarballs.platform).replace(`-${manifest.version}.tgz`, '')
    const platform = name.replace('oauth-rotor-', '')
    expect(filesOf(installed(name))).toEqual(
      ['LICENSE', 'README.md', `oauth-rotor.${platform}.node`, 'package.json'].sort(),
    )
  })

  test('has a platform package for every target that is built', () => {
    const readmes = platforms.map((platform) =>
      readFileSync(path.join(ROOT, 'npm', platform, 'README.md'), 'utf8'),
    )
    expect(readmes.map((text) => /\*\*(.*)\*\* binary/.exec(text)[1]).sort()).toEqual(
      [...manifest.napi.targets].sort(),
    )
  })

  test.each(platforms)('npm/%s is of this version, for the same versions of Node', (platform) => {
    const { name, version, engines, main } = require(`../npm/${platform}/package.json`)
    expect({ name, version, engines, main }).toEqual({
      name: `oauth-rotor-${platform}`,
      version: manifest.version,
      engines: manifest.engines,
      main: `oauth-rotor.${platform}.node`,
    })
  })

  test.each(platforms)('npm/%s runs nothing when it is installed', (platform) => {
    expect(require(`../npm/${platform}/package.json`)).not.toHaveProperty('scripts')
  })
})
