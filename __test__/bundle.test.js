'use strict'

const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')

const project = require('./support/project')
const manifest = require('../package.json')

const ROOT = path.join(__dirname, '..')
const JEST = path.join(path.dirname(require.resolve('jest/package.json')), 'bin', 'jest.js')
/** Each way to require the package, and the file of the checkout that it stands for. */
const ENTRIES = Object.entries(manifest.exports)
  .filter(([, entry]) => entry.default)
  .map(([name, entry]) => [path.posix.join(manifest.name, name), entry.default])
const source = (file) => readFileSync(path.join(ROOT, file), 'utf8')

/** A project with the package as it would be published, to which each test adds its own files. */
let directory
/** What the maps of the published files have as sources, by the name of the file. */
let maps

beforeAll(async () => {
  const { main, platform } = await project.pack()
  directory = project.createProject({})
  await project.install(directory, [main, platform])
  const home = path.join(directory, 'node_modules', manifest.name)
  const files = readdirSync(home).filter((file) => file.endsWith('.map'))
  const parse = (file) => JSON.parse(readFileSync(path.join(home, file), 'utf8'))
  maps = Object.fromEntries(files.map((file) => [path.basename(file, '.map'), parse(file)]))
})
afterAll(project.removeDirectories)

/** What a program of the project prints as JSON. */
async function evaluate(file, text, flags = []) {
  project.write(directory, file, text)
  const { code, output } = await project.node([...flags, file], { cwd: directory })
  if (code !== 0) throw new Error(output)
  return JSON.parse(output)
}

describe('the published files', () => {
  test('have every module of lib/ once, and nothing besides but index.js', () => {
    const modules = readdirSync(path.join(ROOT, 'lib'), { recursive: true })
      .filter((file) => file.endsWith('.js'))
      .map((file) => `lib/${file.split(path.sep).join('/')}`)
    const published = Object.values(maps).flatMap(({ sources }) => sources)
    expect(published.sort()).toEqual([...modules, 'index.js'].sort())
  })

  test('have in their maps what their sources are', () => {
    for (const { sources, sourcesContent } of Object.values(maps)) {
      expect(sourcesContent).toEqual(sources.map(source))
    }
  })

  test('are two for whoever requires the package alone, without what only others need', async () => {
    const main = `
      require('oauth-rotor')
      const { basename } = require('node:path')
      const files = Object.keys(require.cache).filter((file) => file !== __filename && file.endsWith('.js'))
      console.log(JSON.stringify(files.map((file) => basename(file)).sort()))`
    expect(await evaluate('files.cjs', main)).toEqual(['core.js', 'index.js'])
    const { sources } = maps['index.js']
    expect(sources.filter((file) => /testing|integrations/.test(file))).toEqual([])
  })

  test.each(ENTRIES)('import as %s has the names and the classes of its source', async (name, file) => {
    const main = `
      import * as all from '${name}'
      const { default: _, 'module.exports': __, ...names } = all
      const named = Object.entries(names).map(([key, value]) => [key, typeof value, value?.name])
      console.log(JSON.stringify(named.sort()))`
    const own = Object.entries(require(path.join(ROOT, file)))
    const named = own.map(([key, value]) => [key, typeof value, value.name])
    expect(await evaluate('names.mjs', main)).toEqual(named.sort())
    expect(named.map(([key]) => key)).toEqual(named.map(([, , own]) => own))
  })

  test('throw errors of the same classes, whichever is required first', async () => {
    const main = (names) => `
      const all = Object.assign({}, ...${JSON.stringify(names)}.map((name) => require(name)))
      const thrown = [
        () => new all.TokenManager(),
        () => all.createFetch({}, {}),
        () => all.createInterceptor({}, {}),
        () => all.fakeTokens().getToken({ signal: 'none' }).catch((error) => error),
      ].map((act) => {
        try {
          return act()
        } catch (error) {
          return error
        }
      })
      Promise.all(thrown).then((errors) => {
        console.log(JSON.stringify(errors.map((error) => error.constructor === all[error.name] && error.name)))
      })`
    const names = ['', '/fetch', '/undici', '/testing'].map((name) => `oauth-rotor${name}`)
    const expected = ['InvalidOptionError', ...Array(3).fill('InvalidArgumentError')]
    expect(await evaluate('classes.cjs', main(names))).toEqual(expected)
    expect(await evaluate('classes.cjs', main(names.reverse()))).toEqual(expected)
  })

  test('show a manager by its name', async () => {
    const main = `
      const { inspect } = require('node:util')
      const { TokenManager, oauth2 } = require('oauth-rotor')
      const provider = oauth2({ tokenUrl: 'http://127.0.0.1:1' })
      const tokens = new TokenManager({ provider, credentials: { clientId: 'app', clientSecret: 'secret' } })
      console.log(JSON.stringify([inspect(tokens), inspect(tokens, { depth: -1 })]))
      tokens.close()`
    expect(await evaluate('inspect.cjs', main)).toEqual([
      expect.stringMatching(/^TokenManager \{\n? *name: /),
      '[TokenManager]',
    ])
  })

  // They take what they share from a file that no name leads to.
  test('leave adapters and fakes what they are where a test of a user’s replaces the package', async () => {
    const userTest = `
      jest.mock('oauth-rotor', () => ({ TokenManager: class Replaced {} }))
      const { TokenManager } = require('oauth-rotor')
      const { createFetch } = require('oauth-rotor/fetch')
      const { fakeTokens } = require('oauth-rotor/testing')
      test('a request has a fake token', async () => {
        expect(TokenManager.name).toBe('Replaced')
        const fetch = async (url, { headers }) => ({ status: 200, authorization: headers.get('authorization') })
        const api = createFetch(fakeTokens(), { origins: ['https://api.example'], fetch })
        expect((await api('https://api.example/')).authorization).toMatch(/^Bearer ./)
      })`
    project.write(directory, 'jest/replaced.test.js', userTest)
    project.write(directory, 'jest/jest.config.json', JSON.stringify({ rootDir: '.' }))
    const { code, output } = await project.node([JEST, '--no-cache'], { cwd: path.join(directory, 'jest') })
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('1 passed') })
  })
})

describe('a stack', () => {
  const main = `
    const { TokenManager } = require('oauth-rotor')
    const { fakeAuthorizationServer } = require('oauth-rotor/testing')
    const stackOf = async (act) => {
      try {
        await act()
      } catch (error) {
        return error.stack.split('\\n').filter((line) => line.startsWith('    at '))
      }
    }
    async function main() {
      const ours = await stackOf(function userOfOurs() { new TokenManager() })
      const within = await stackOf(() => fakeAuthorizationServer({ nonsense: 1 }))
      console.log(JSON.stringify({ ours, within }))
    }
    main()`

  test('names the functions of the package', async () => {
    const { within } = await evaluate('stack.cjs', main)
    expect(within[0]).toMatch(/^ {4}at checkObject \(.*[\\/]oauth-rotor[\\/]core\.js:\d+:\d+\)$/)
  })

  test('leads to lib/ with --enable-source-maps', async () => {
    const { within } = await evaluate('stack.cjs', main, ['--enable-source-maps'])
    const [, line, column] = /[\\/]oauth-rotor[\\/]lib[\\/]options[\\/]plain\.js:(\d+):(\d+)\)?$/.exec(
      within[0],
    )
    const text = source('lib/options/plain.js').split('\n')[line - 1]
    expect(text.slice(column - 1)).toMatch(/^(throw )?new TypeError\(`\$\{what\} has no option/)
  })

  test.each([[[]], [['--enable-source-maps']]])(
    'of an error of ours begins at the call (%j)',
    async (flags) => {
      const { ours } = await evaluate('stack.cjs', main, flags)
      expect(ours[0]).toMatch(/^ {4}at userOfOurs \(.*[\\/]stack\.cjs:\d+:\d+\)$/)
    },
  )
})
