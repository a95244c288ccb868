'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { inspect } = require('node:util')

const { envFile, secretFile } = require('..')
const { callPersist, writeVariables } = require('../lib/options/persist')
const { fromEnv, fromFile } = require('../lib/options/sources')
const { temporaryDirectory } = require('./support/changing')
const { failure, parse, valid } = require('./support/seam')
const { closeAll } = require('./support/world')

afterEach(closeAll)

const names = { clientId: 'APP_ID', clientSecret: 'APP_SECRET' }
const credential = { clientId: 'app', clientSecret: 'hunter2-secret' }
const entry = (changes) => parse(valid({ credentials: { ...credential, ...changes } })).native.entries[0]

/** What is asked of the file system meanwhile: the function and its arguments, of each call. */
function callsOfFs(work) {
  const spies = [fs, fs.promises].flatMap((functions) =>
    Object.entries(Object.getOwnPropertyDescriptors(functions))
      // What is deprecated has a getter, which warns.
      .filter(([, { value, writable }]) => typeof value === 'function' && writable)
      .map(([name]) => [name, jest.spyOn(functions, name)]),
  )
  try {
    work()
    return spies.flatMap(([name, spy]) => spy.mock.calls.map((call) => [name, ...call]))
  } finally {
    for (const [, spy] of spies) spy.mockRestore()
  }
}

describe('persist', () => {
  test('an env file and a secret file reach the native part with absolute paths', () => {
    expect(entry({ persist: envFile('docs/.env', names) }).persist).toEqual({
      kind: 'envFile',
      path: path.resolve('docs/.env'),
      ...names,
    })
    const url = pathToFileURL(path.resolve('secret'))
    const secret = { kind: 'secretFile', path: path.resolve('secret') }
    expect(entry({ persist: secretFile(url) }).persist).toEqual(secret)
    expect(entry({ persist: undefined })).not.toHaveProperty('persist')
    expect(entry({ persist: false })).not.toHaveProperty('persist')
  })

  test('an env file may hold the secret alone', () => {
    const { clientSecret } = names
    const written = { kind: 'envFile', path: path.resolve('.env'), clientSecret }
    expect(entry({ persist: envFile('.env', { clientSecret }) }).persist).toEqual(written)
    const given = envFile('.env', { clientId: undefined, clientSecret })
    expect(entry({ persist: given }).persist).toEqual(written)
  })

  describe('a directory that is not there is told at once, by its option and its name', () => {
    const missing = path.resolve('no-such-directory')
    const problem = (persist) => failure(valid({ credentials: [{ ...credential, persist }] })).problems

    test.each([
      ['an env file', () => envFile('no-such-directory/.env', names)],
      ['a secret file', () => secretFile(path.join(missing, 'secret'))],
    ])('%s', (_, make) => {
      expect(problem(make())).toEqual([
        {
          option: 'credentials[0].persist',
          message: `writes to a file in ${missing}, which does not exist. Make that directory, or correct the path.`,
        },
      ])
    })

    test('a file in the place of the directory', () => {
      expect(problem(secretFile('package.json/secret'))[0].message).toContain('which is not a directory')
      expect(problem(secretFile('package.json/x/secret'))[0].message).toContain('which does not exist')
    })

    test('a link to a directory is one, and one to nothing is none', () => {
      const directory = temporaryDirectory()
      fs.symlinkSync(os.tmpdir(), path.join(directory, 'link'))
      fs.symlinkSync(missing, path.join(directory, 'broken'))
      expect(entry({ persist: secretFile(path.join(directory, 'link', 'x')) })).toHaveProperty('persist')
      expect(problem(secretFile(path.join(directory, 'broken', 'x')))).toHaveLength(1)
    })

    test('one stat is all', () => {
      const called = callsOfFs(() => entry({ persist: secretFile(path.join(os.tmpdir(), 'secret')) }))
      expect(called).toEqual([['statSync', os.tmpdir()]])
    })

    test('one that may not be looked at is left to the first write', () => {
      const denied = Object.assign(new Error('…'), { code: 'EACCES' })
      const stat = jest.spyOn(fs, 'statSync').mockImplementation(() => {
        throw denied
      })
      expect(entry({ persist: secretFile('no-such-directory/x') })).toHaveProperty('persist')
      stat.mockRestore()
    })
  })

  test('functions are numbered in their order', () => {
    const [one, two] = [async () => {}, async () => {}]
    const credentials = [
      { ...credential, persist: one },
      { ...credential, persist: secretFile('x') },
      { ...credential, persist: two },
    ]
    const { native, persistFunctions } = parse(valid({ credentials }))
    expect(native.entries.map(({ persist }) => persist.kind)).toEqual(['js', 'secretFile', 'js'])
    expect([native.entries[0].persist.index, native.entries[2].persist.index]).toEqual([0, 1])
    expect(persistFunctions).toEqual([one, two])
  })

  test.each([[null], [true], ['.env'], [{ path: '.env' }], [fromFile('/x')], [[secretFile('/x')]]])(
    'refuses %p',
    (persist) => {
      const { problems } = failure(valid({ credentials: { ...credential, persist } }))
      expect(problems).toEqual([
        {
          option: 'credentials.persist',
          message: expect.stringMatching(/^takes envFile\(.*secretFile\(path\), a function or false, got /),
        },
      ])
    },
  )

  test.each([
    ['envFile', () => envFile('', names)],
    ['envFile', () => envFile('.env')],
    ['envFile', () => envFile('.env', { clientId: 'ID' })],
    ['envFile', () => envFile('.env', { clientId: null, clientSecret: 'SECRET' })],
    ['envFile', () => envFile('.env', { clientId: 'A', clientSecret: 'A' })],
    ['envFile', () => envFile('.env', { ...names, clientSecret: 'hunter2=secret' })],
    ['envFile', () => envFile('.env', { ...names, other: 'X' })],
    ['secretFile', () => secretFile()],
    ['secretFile', () => secretFile('hunter2-secret\0')],
    ['secretFile', () => secretFile(new URL('https://x.example'))],
  ])('%s refuses what cannot be written, where it is called', (option, make) => {
    let error
    try {
      make()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', option })
    expect(error.stack.split('\n')[1]).toContain(__filename)
    expect(inspect(error)).not.toContain('hunter2')
  })

  test('printing a file to persist in shows nothing but its kind', () => {
    expect(inspect(envFile('/etc/app.env', names), { showHidden: true })).not.toMatch(/APP_ID|app\.env/)
    expect(JSON.stringify(secretFile('/run/secret'))).toBe('{"kind":"secret-file"}')
  })
})

describe('expiresAt', () => {
  const at = Date.UTC(2027, 0, 31)

  test.each([[new Date(at)], [at], ['2027-01-31'], ['2027-01-31T00:00:00Z'], ['2027-01-31T01:00+01:00']])(
    'takes %p',
    (expiresAt) => expect(entry({ expiresAt }).expiresAt).toBe(at),
  )

  test.each([
    [new Date(NaN), /got an invalid Date/],
    ['2027-01-31T00:00:00', /ISO 8601 text with its offset/],
    ['tomorrow', /got a string/],
    [at / 1000, /seems to be in seconds: multiply it by 1000/],
    [Infinity, /got Infinity/],
    [null, /got null/],
  ])('refuses %p', (expiresAt, message) => {
    const { problems } = failure(valid({ credentials: { ...credential, expiresAt } }))
    expect(problems).toEqual([{ option: 'credentials.expiresAt', message: expect.stringMatching(message) }])
  })

  test('of a function counts as well, and a wrong one is told without its value', async () => {
    const reading = (expiresAt) => {
      const credentials = () => ({ ...credential, expiresAt })
      return parse(valid({ credentials })).sources[0].read()
    }
    expect(await reading(new Date(at))).toEqual({
      kind: 'credentials',
      list: [{ ...credential, expiresAt: at }],
    })
    expect((await reading(undefined)).list[0]).not.toHaveProperty('expiresAt')
    const { kind, message } = await reading('hunter2')
    expect(kind).toBe('error')
    expect(message).toMatch(/expiresAt is no Date/)
    expect(message).not.toContain('hunter2')
  })
})

describe('a function that keeps a credential', () => {
  const error = (code) => Object.assign(new Error('hunter2-secret'), { code })

  test('gets it, and is done when its promise resolves', async () => {
    let finish
    const persist = jest.fn(() => new Promise((resolve) => (finish = resolve)))
    const answered = jest.fn()
    const running = callPersist(persist, credential).then(answered)
    await new Promise(setImmediate)
    expect(answered).not.toHaveBeenCalled()
    finish()
    await running
    expect(answered).toHaveBeenCalledWith({ outcome: 'done' })
    expect(persist.mock.calls).toEqual([[credential, { signal: undefined }]])
  })

  test.each([['EROFS'], ['EBUSY'], ['EACCES'], ['EPERM']])('that fails with %s never will', async (code) => {
    const outcome = { outcome: 'impossible', message: `Error (${code})` }
    expect(await callPersist(() => Promise.reject(error(code)), credential)).toEqual(outcome)
    const wrapped = new Error('hunter2-secret', { cause: error(code) })
    expect(await callPersist(() => Promise.reject(wrapped), credential)).toEqual(outcome)
  })

  test.each([
    ['throws', () => JSON.parse('hunter2'), 'SyntaxError'],
    ['rejects', () => Promise.reject(error('ECONNRESET')), 'Error (ECONNRESET)'],
    ['rejects with nothing', () => Promise.reject(), 'an error'],
    ['rejects with a text', () => Promise.reject('hunter2-secret'), 'an error'],
    [
      'rejects with something hostile',
      () => Promise.reject(new Proxy({}, { get: () => JSON.parse('hunter2') })),
      'an error',
    ],
  ])(
    'that %s may succeed later, and nothing of the error is told but its kind',
    async (_, persist, message) => {
      expect(await callPersist(persist, credential)).toEqual({ outcome: 'failed', message })
    },
  )
})

describe('variables', () => {
  const variablesOf = (credentials) => {
    const env = { APP_ID: 'a', APP_SECRET: 'b' }
    return parse(valid({ credentials }), { env }).variables
  }

  test('each entry knows those that it comes from', () => {
    const mixed = { clientId: 'app', clientSecret: fromEnv('APP_SECRET') }
    const known = variablesOf([fromEnv('APP_ID', 'APP_SECRET'), credential, mixed, async () => credential])
    expect(known).toEqual([
      names,
      { clientId: undefined, clientSecret: undefined },
      { clientId: undefined, clientSecret: 'APP_SECRET' },
      { clientId: undefined, clientSecret: undefined },
    ])
  })

  test('those of an entry are written, and no others', () => {
    const env = { APP_ID: 'old', OTHER: 'x' }
    writeVariables({ clientSecret: 'APP_SECRET' }, credential, () => env)
    expect(env).toEqual({ APP_ID: 'old', APP_SECRET: 'hunter2-secret', OTHER: 'x' })
    writeVariables(names, credential, () => env)
    expect(env.APP_ID).toBe('app')
    writeVariables(undefined, credential, () => env)
  })

  test('an environment that is replaced as a whole is asked each time, and a frozen one breaks nothing', () => {
    let env = {}
    const environment = () => env
    writeVariables(names, credential, environment)
    env = Object.freeze({ APP_ID: 'old' })
    writeVariables(names, credential, environment)
    expect(env).toEqual({ APP_ID: 'old' })
    env = {}
    writeVariables(names, credential, environment)
    expect(env).toEqual({ APP_ID: 'app', APP_SECRET: 'hunter2-secret' })
  })
})
