'use strict'

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { inspect } = require('node:util')

const { fromDirectory, fromEnv, fromEnvFile, fromFile } = require('../lib/options/sources')
const { envFile, secretFile } = require('../lib/options/persist')
const { genesysCloud } = require('../lib/options/provider')
const { failure, parse, valid } = require('./support/seam')

/** An error that is its own cause. */
function circular() {
  const error = new Error('…')
  return Object.assign(error, { cause: error })
}

const SECRET = 'hunter2-secret'
const parsed = (credentials, env) => parse(valid({ credentials }), { env })
const problems = (credentials, env) => failure(valid({ credentials }), { env }).problems

describe('variables', () => {
  const env = { ID: 'app', SECRET }

  test('two are one credential, read at once and again', () => {
    const changing = { ...env }
    const { native, sources } = parsed(fromEnv('ID', 'SECRET'), changing)
    const source = { kind: 'js', index: 0 }
    expect(native.entries).toEqual([{ optional: false, source, hasVariables: true }])
    expect(native.initial).toEqual([
      { kind: 'credentials', list: [{ clientId: 'app', clientSecret: SECRET }] },
    ])
    expect(sources[0].sync).toBe(true)

    changing.SECRET = 'next'
    expect(sources[0].read()).toEqual({
      kind: 'credentials',
      list: [{ clientId: 'app', clientSecret: 'next' }],
    })
    delete changing.SECRET
    expect(sources[0].read()).toEqual({ kind: 'empty' })
    changing.SECRET = 'a\u0007b'
    expect(sources[0].read()).toEqual({
      kind: 'error',
      message: expect.stringContaining('control characters'),
    })
  })

  test.each([
    ['control characters', 'a\u0007b'],
    ['an invisible character (U+200B)', 'hunter2\u200b'],
    ['an invisible character (U+FEFF)', '\ufeffhunter2'],
    ['a blank that is no plain space (U+00A0)', 'hunter2\u00a0'],
    ['a blank at its beginning or end', ' hunter2'],
  ])('%s in a value are refused with variable and field', (flaw, value) => {
    const secret = `yields a client secret with ${flaw}, which no client id or secret has (in the environment variable SECRET)`
    const values = { ID: 'app', SECRET: value }
    expect(problems(fromEnv('ID', 'SECRET'), values)).toEqual([
      { option: 'credentials', message: `${secret}.` },
    ])
    const fields = { clientId: fromEnv('ID'), clientSecret: fromEnv('SECRET') }
    expect(problems(fields, values)).toEqual([{ option: 'credentials.clientSecret', message: `${secret}.` }])
    const [id] = problems(fromEnv('SECRET', 'ID'), values)
    expect(id.message).toContain(`yields a client id with ${flaw}`)
  })

  test('one is a field', () => {
    const { native, sources } = parsed({ clientId: 'app', clientSecret: fromEnv('SECRET') }, env)
    expect(native.entries[0].source).toEqual({
      kind: 'fields',
      clientId: { kind: 'value', value: 'app' },
      clientSecret: { kind: 'js', index: 0 },
    })
    expect(native.initial).toEqual([{ kind: 'text', value: SECRET }])
    expect(sources).toHaveLength(1)
  })

  test.each(['\n', '\r\n'])('one trailing line break (%j) is no part of the value', (end) => {
    expect(
      parsed(fromEnv('ID', 'SECRET'), { ID: `app${end}`, SECRET: `${SECRET}${end}` }).native.initial,
    ).toEqual([{ kind: 'credentials', list: [{ clientId: 'app', clientSecret: SECRET }] }])
    expect(
      problems(fromEnv('ID', 'SECRET'), { ID: 'app', SECRET: `${SECRET}\n${end}` })[0].message,
    ).toContain('control characters')
  })

  test.each([
    [{}, 'the environment variables ID and SECRET, which are not set or empty'],
    [{ ID: 'app' }, 'the environment variable SECRET, which is not set or empty'],
    [{ ID: '', SECRET }, 'the environment variable ID, which is not set or empty'],
  ])('a missing one is named: %j', (values, message) => {
    expect(problems(fromEnv('ID', 'SECRET'), values)).toEqual([
      { option: 'credentials', message: expect.stringContaining(message) },
    ])
  })

  test('a missing one of an optional credential is nothing', () => {
    const next = { clientId: 'app', clientSecret: fromEnv('NEXT'), label: 'next', optional: true }
    const { native } = parsed([fromEnv('ID', 'SECRET'), next], env)
    expect(native.initial[1]).toEqual({ kind: 'empty' })
    expect(native.entries[1]).toMatchObject({ label: 'next', optional: true })
  })

  test('a value given in place of a name is not repeated', () => {
    for (const value of ['hT7-ksUuHq2', 'aB3dE5gH7jK9mN2pQ4sT6vW8yZ1cF3hJ5lN7pR9tV1x', 'deadbeef01234567']) {
      const error = failure(valid({ credentials: fromEnv('ID', value) }), { env })
      expect(`${error.message} ${inspect(error)} ${JSON.stringify(error)}`).not.toContain(value)
      expect(error.message).toContain('a value instead of a name?')
    }
  })

  test.each([[[]], [['A', 'B', 'C']], [[undefined]], [['ID', undefined]], [['']], [['A=B']], [[7]]])(
    'fromEnv refuses %j where it is called',
    (names) => {
      const call = () => fromEnv(...names)
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'fromEnv' }))
    },
  )
})

describe('files', () => {
  test('a path is resolved when it is given', () => {
    const { native, sources } = parsed({
      clientId: fromFile('id.txt'),
      clientSecret: fromFile('/run/secret'),
    })
    expect(native.entries[0].source).toEqual({
      kind: 'fields',
      clientId: { kind: 'file', path: path.resolve('id.txt') },
      clientSecret: { kind: 'file', path: path.resolve('/run/secret') },
    })
    expect(sources).toEqual([])
  })

  test('a file: URL is a path', () => {
    const file = path.resolve('/run/a secret')
    const { native } = parsed({ clientId: 'app', clientSecret: fromFile(pathToFileURL(file)) })
    expect(native.entries[0].source.clientSecret).toEqual({ kind: 'file', path: file })
  })

  const env = { ID: 'app', SECRET }
  const names = { clientId: 'APP_ID', clientSecret: 'APP_SECRET' }
  const file = path.resolve('.env')
  const variable = (name) => ({ kind: 'envFile', path: file, variable: name })
  const both = { kind: 'fields', clientId: variable('APP_ID'), clientSecret: variable('APP_SECRET') }
  const entryOf = (credentials) => parsed(credentials, env).native.entries[0]

  test('an env file is one source of both, and is their persist', () => {
    const persist = { kind: 'envFile', path: file, ...names }
    expect(entryOf(fromEnvFile('.env', names))).toEqual({ optional: false, source: both, persist })
    const fields = {
      clientId: fromEnvFile('.env', 'APP_ID'),
      clientSecret: fromEnvFile(pathToFileURL(file), 'APP_SECRET'),
    }
    expect(entryOf(fields)).toEqual({ optional: false, source: both, persist })
    expect(entryOf({ ...fields, persist: false })).toEqual({ optional: false, source: both })
    const elsewhere = { ...fields, persist: secretFile('secret') }
    expect(entryOf(elsewhere).persist).toEqual({ kind: 'secretFile', path: path.resolve('secret') })
  })

  test('an env file with the secret alone is a persist without the client id', () => {
    const persist = { kind: 'envFile', path: file, clientSecret: 'APP_SECRET' }
    const clientSecret = fromEnvFile('.env', 'APP_SECRET')
    for (const clientId of ['app', fromEnv('ID'), fromEnvFile('other.env', 'APP_ID')]) {
      expect(entryOf({ clientId, clientSecret }).persist).toEqual(persist)
    }
    expect(entryOf({ clientId: fromEnvFile('.env', 'APP_ID'), clientSecret: SECRET })).not.toHaveProperty(
      'persist',
    )
  })

  test('a directory that is missing is no error of a source', () => {
    expect(entryOf(fromEnvFile('no-such-directory/.env', names))).toHaveProperty('persist')
  })

  test('a file that persist writes stands in front of a secret of the environment', () => {
    const clientSecret = fromEnv('SECRET')
    const own = { kind: 'js', index: 0 }
    const sourceOf = (clientId, persist) => parsed({ clientId, clientSecret, persist }, env)
    const pair = sourceOf(fromEnv('ID'), envFile('.env', names))
    const source = { kind: 'fields', clientId: own, clientSecret: { kind: 'js', index: 1 } }
    expect(pair.native.entries[0].source).toEqual({ kind: 'fronted', front: both, source })
    expect(pair.variables).toEqual([
      { clientId: 'ID', clientSecret: 'SECRET', file: { kind: 'envFile', path: file, ...names } },
    ])

    const app = { kind: 'value', value: 'app' }
    const secret = sourceOf('app', envFile('.env', { clientSecret: 'APP_SECRET' }))
    expect(secret.native.entries[0].source.front).toEqual({ ...both, clientId: app })
    const alone = sourceOf('app', secretFile('secret'))
    const front = {
      kind: 'fields',
      clientId: app,
      clientSecret: { kind: 'file', path: path.resolve('secret') },
    }
    expect(alone.native.entries[0].source.front).toEqual(front)
  })

  test.each([
    ['persist is a function', { clientSecret: fromEnv('SECRET'), persist: async () => {} }],
    ['there is no persist', { clientSecret: fromEnv('SECRET') }],
    ['the secret comes from elsewhere', { clientSecret: fromFile('x'), persist: envFile('.env', names) }],
  ])('nothing stands in front where %s', (_, fields) => {
    const { native, variables } = parsed({ clientId: fromEnv('ID'), ...fields }, env)
    expect(native.entries[0].source.kind).toBe('fields')
    expect(variables[0]).not.toHaveProperty('file')
  })

  test.each([
    [undefined],
    [{}],
    [''],
    ['A=B'],
    [{ clientId: 'A' }],
    [{ clientId: 'A', clientSecret: 'A' }],
    [{ clientId: 'A', clientSecret: 'hunter2=' }],
    [{ ...names, label: 'x' }],
  ])('fromEnvFile refuses the names %j', (given) => {
    const call = () => fromEnvFile('.env', given)
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'fromEnvFile' }))
    expect(call).not.toThrow(/hunter2/)
  })

  test('a directory is one source of both', () => {
    const names = { clientId: 'id', clientSecret: 'secret' }
    expect(parsed(fromDirectory('/etc/oauth', names)).native.entries).toEqual([
      { optional: false, source: { kind: 'directory', directory: path.resolve('/etc/oauth'), ...names } },
    ])
  })

  test.each([[undefined], [''], [7], ['a\0b'], [new URL('https://example.com')], [{}]])(
    'fromFile refuses %p',
    (file) => {
      expect(() => fromFile(file)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'fromFile' }),
      )
    },
  )

  test.each([
    [undefined],
    [{ clientId: 'id' }],
    [{ clientId: 'id', clientSecret: '../secret' }],
    [{ clientId: 'id', clientSecret: '..' }],
    [{ clientId: 'id', clientSecret: '' }],
    [{ clientId: 'id', clientSecret: 'secret', label: 'x' }],
  ])('fromDirectory refuses the names %j', (names) => {
    const call = () => fromDirectory('/etc/oauth', names)
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'fromDirectory' }))
  })
})

function thrower() {
  throw new Error(SECRET)
}

describe('functions', () => {
  const read = (callback) => parsed(callback).sources[0].read()
  const credential = { clientId: 'app', clientSecret: SECRET }

  test('are not called before they are asked', () => {
    const callback = jest.fn()
    const { native, sources } = parsed([callback, { clientId: callback, clientSecret: callback }])
    expect(callback).not.toHaveBeenCalled()
    expect(native.initial).toEqual([null, null, null])
    expect(sources.map(({ sync }) => sync)).toEqual([false, false, false])
    expect(native.entries[1].source).toEqual({
      kind: 'fields',
      clientId: { kind: 'js', index: 1 },
      clientSecret: { kind: 'js', index: 2 },
    })
  })

  test.each([
    ['a text', async () => SECRET, { kind: 'text', value: SECRET }],
    ['a text with a line break', async () => `${SECRET}\n`, { kind: 'text', value: SECRET }],
    ['a text at once', () => SECRET, { kind: 'text', value: SECRET }],
    ['a credential', async () => credential, { kind: 'credentials', list: [credential] }],
    [
      'a list',
      async () => [{ ...credential, label: 'a' }],
      { kind: 'credentials', list: [{ label: 'a', ...credential }] },
    ],
    [
      'more than is known of',
      async () => ({ ...credential, ttl: 3 }),
      { kind: 'credentials', list: [credential] },
    ],
    ['undefined', async () => {}, { kind: 'empty' }],
    ['null', async () => null, { kind: 'empty' }],
    ['an empty text', async () => '', { kind: 'empty' }],
    ['an empty list', async () => [], { kind: 'empty' }],
    ['a credential without a value', async () => ({ clientId: 'app', clientSecret: '' }), { kind: 'empty' }],
  ])('may yield %s', async (_, callback, reading) => {
    expect(await read(callback)).toEqual(reading)
  })

  test.each([
    ['a number', async () => 7],
    ['half a credential', async () => ({ clientSecret: SECRET })],
    ['a number for a secret', async () => ({ clientId: 'app', clientSecret: 7 })],
    ['a list of texts', async () => [SECRET]],
    ['a label of two lines', async () => ({ ...credential, label: 'a\nb' })],
    ['an empty secret in a list', async () => [credential, { clientId: 'app', clientSecret: '' }]],
    ['a control character', async () => `${SECRET}\u0000`],
    ['a zero-width space', async () => `${SECRET}\u200b`],
    ['a byte order mark', async () => `\ufeff${SECRET}`],
    ['a non-breaking space in a client id', async () => ({ ...credential, clientId: 'app\u00a0' })],
    ['a blank at the end', async () => `${SECRET} `],
    ['broken Unicode', async () => `${SECRET}\ud800`],
    [
      'an unreadable object',
      async () => Object.defineProperty({}, 'clientId', { enumerable: true, get: thrower }),
    ],
  ])('yield an error for %s, which does not repeat it', async (_, callback) => {
    const reading = await read(callback)
    expect(reading).toEqual({ kind: 'error', message: expect.any(String) })
    expect(reading.message).not.toContain(SECRET)
  })

  test.each([
    [Object.assign(new TypeError(SECRET), { code: 'ECONNREFUSED' }), 'failed with TypeError (ECONNREFUSED)'],
    [
      new TypeError(SECRET, { cause: Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' }) }),
      'failed with TypeError (ECONNREFUSED)',
    ],
    [circular(), 'failed with Error'],
    [new Error(SECRET), 'failed with Error'],
    [Object.assign(new Error(SECRET), { code: 404 }), 'failed with Error (404)'],
    [Object.assign(new Error('…'), { name: SECRET, code: SECRET }), 'failed with an error'],
    [SECRET, 'failed with an error'],
    [undefined, 'failed with an error'],
  ])('that throw tell only the kind of the error (%#)', async (error, kind) => {
    const message = `${kind}, whose message is not repeated: it may hold a secret`
    const rejecting = await read(() => Promise.reject(error))
    const throwing = await read(() => {
      throw error
    })
    expect([rejecting, throwing]).toEqual([
      { kind: 'error', message },
      { kind: 'error', message },
    ])
  })
})

describe('the list of credentials', () => {
  test.each([
    [undefined, 'credentials', /required/],
    [[], 'credentials', /at least one/],
    [SECRET, 'credentials', /takes a source or \{ clientId, clientSecret \}, got a string/],
    [[[{}]], 'credentials[0]', /got an array/],
    [fromEnv('ID'), 'credentials', /a source of one field/],
    [[fromFile('/a')], 'credentials[0]', /a source of one field/],
    [Promise.resolve({ clientId: 'app', clientSecret: SECRET }), 'credentials', /Give the function itself/],
    [[Promise.resolve()], 'credentials[0]', /Give the function itself/],
    [{ clientId: 'app', clientSecret: Promise.resolve(SECRET) }, 'credentials.clientSecret', /got a promise/],
    [{ clientId: 'app' }, 'credentials.clientSecret', /got nothing/],
    [{ clientId: 'app', clientSecret: '' }, 'credentials.clientSecret', /an empty string/],
    [{ clientId: 'app', clientSecret: `${SECRET}\n` }, 'credentials.clientSecret', /line break/],
    [{ clientId: 'app', clientSecret: 12345 }, 'credentials.clientSecret', /got a number/],
    [
      { clientId: fromEnv('A', 'B'), clientSecret: 'x' },
      'credentials.clientId',
      /a source of a whole credential/,
    ],
    [{ clientId: 'a', clientSecret: 'b', optional: 'no' }, 'credentials.optional', /true or false/],
    [{ clientId: 'a', clientSecret: 'b', label: '' }, 'credentials.label', /empty string/],
    [
      { clientId: 'a', clientSecret: 'b', label: 'x'.repeat(129) },
      'credentials.label',
      /128 characters, got 129/,
    ],
    [{ client_id: 'a', clientSecret: 'b' }, 'credentials.client_id', /Did you mean clientId\?/],
    [{ clientId: 'a', clientSecret: 'b', scope: 1 }, 'credentials.scope', /not a known option/],
  ])('refuses %j', (credentials, option, message) => {
    const found = problems(credentials, {})
    expect(found[0]).toEqual({ option, message: expect.stringMatching(message) })
    expect(JSON.stringify(found)).not.toContain(SECRET)
    expect(JSON.stringify(found)).not.toContain('12345')
  })

  test('a client id with a colon cannot be sent as raw Basic', () => {
    const provider = genesysCloud({ region: 'us_east_1' })
    const credentials = [{ clientId: 'a:b', clientSecret: 'c' }, fromEnv('ID', 'SECRET')]
    const error = failure(valid({ provider, credentials }), { env: { ID: 'd:e', SECRET } })
    expect(error.problems.map(({ option }) => option)).toEqual(['credentials[0].clientId', 'credentials[1]'])
    expect(parse(valid({ credentials: credentials[0] })).native.entries).toHaveLength(1)
  })
})

test('a source shows nothing of what it names', () => {
  const directory = fromDirectory(`/${SECRET}`, { clientId: 'a', clientSecret: 'b' })
  for (const source of [fromEnv(SECRET), fromEnv('ID', SECRET), fromFile(SECRET), directory]) {
    expect(`${inspect(source, { showHidden: true })} ${JSON.stringify(source)}`).not.toContain(SECRET)
    expect(Object.isFrozen(source)).toBe(true)
  }
})

test('a source of another copy of the package is one', () => {
  jest.isolateModules(() => {
    const copy = require('../lib/options/sources')
    expect(copy.fromEnv).not.toBe(fromEnv)
    expect(parsed(copy.fromEnv('ID', 'SECRET'), { ID: 'app', SECRET }).sources).toHaveLength(1)
  })
})
