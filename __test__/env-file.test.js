'use strict'

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { inspect } = require('node:util')

const { envFile, fromEnv, fromEnvFile, secretFile } = require('..')
const { atEnd, closeAll, event, rejection } = require('./support/world')
const { temporaryDirectory, temporaryFile, variables } = require('./support/changing')
const { HOUR, NEW, rotationWorld, settled } = require('./support/rotations')

afterEach(closeAll)

const POLL = 10_000
const names = { clientId: 'APP_ID', clientSecret: 'APP_SECRET' }
const read = (file) => fs.readFileSync(file, 'utf8').replace(/["']/g, '')
const OLD_FILE = '# ours\nAPP_ID=app\nOTHER=x\nAPP_SECRET=old\n'

/** A pipe without another end, which a reader would wait for. */
function pipe() {
  const file = path.join(temporaryDirectory(), 'pipe')
  execFileSync('mkfifo', [file])
  return file
}

/** All that is told of writing back. */
function outcomes(tokens) {
  const told = []
  tokens.on('persisted', (payload) => told.push(payload))
  return told
}

test('a credential is read from a file, and again when the file has changed', async () => {
  const file = temporaryFile(OLD_FILE)
  const { clock, tokens, presented } = await rotationWorld({ credentials: fromEnvFile(file, names) })
  expect(presented()).toEqual(['old'])
  fs.writeFileSync(file, OLD_FILE.replace('old', 'new'))
  const told = event(tokens, 'source')
  await clock.advance(POLL)
  expect(await told).toMatchObject({ entry: 0, change: 'changed' })
  expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
  expect(presented()).toEqual(['old', 'new'])
})

test('a change of both variables at once is never seen in halves', async () => {
  const file = temporaryFile('APP_ID=blue\nAPP_SECRET=b\n')
  const knobs = { clients: { blue: ['b'], green: ['g'] } }
  const { clock, server } = await rotationWorld({ knobs, credentials: fromEnvFile(file, names) })
  fs.writeFileSync(file, 'APP_ID=green\nAPP_SECRET=g\n')
  await clock.advance(POLL)
  const pairs = server.requests.map(({ clientId, presented }) => [clientId, presented])
  expect(pairs).toEqual([
    ['blue', 'b'],
    ['green', 'g'],
  ])
})

test('a secret that is written by halves is proved before it counts, and the whole one follows', async () => {
  const file = temporaryFile(OLD_FILE)
  const { clock, tokens, presented, changes } = await rotationWorld({ credentials: fromEnvFile(file, names) })
  fs.writeFileSync(file, 'APP_ID=app\nOTHER=x\nAPP_SECRET=ne')
  await clock.advance(POLL)
  fs.writeFileSync(file, OLD_FILE.replace('old', 'new'))
  await clock.advance(POLL)
  expect(presented().slice(-1)).toEqual(['new'])
  expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
  expect(changes.filter((change) => change === 'promoted')).toHaveLength(1)
})

describe('a new secret', () => {
  const credentials = {
    'of two variables': (file) => fromEnvFile(file, names),
    'of two fields of one file': (file) => ({
      clientId: fromEnvFile(file, 'APP_ID'),
      clientSecret: fromEnvFile(file, 'APP_SECRET'),
    }),
    'of one variable': (file) => ({ clientId: 'app', clientSecret: fromEnvFile(file, 'APP_SECRET') }),
  }

  test.each(Object.entries(credentials))(
    'goes to the file that the old one is read from: %s',
    async (_, make) => {
      const file = temporaryFile(OLD_FILE)
      const { clock, tokens, changes } = await rotationWorld({ credentials: make(file) })
      const rotation = await settled(clock, 0, tokens.rotate(NEW))
      expect([rotation.persisted, read(file)]).toEqual(['done', OLD_FILE.replace('old', 'new')])
      await clock.advance(HOUR + 10 * POLL)
      expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 2 })
      expect(changes).toEqual(['started', 'staged', 'promoted', 'retired'])
    },
  )

  test('that came from the file is not written to it', async () => {
    const file = temporaryFile(OLD_FILE)
    const { clock, tokens } = await rotationWorld({ credentials: fromEnvFile(file, names) })
    fs.writeFileSync(file, OLD_FILE.replace('old', 'new'))
    const { ino, mtimeMs } = fs.statSync(file)
    await clock.advance(2 * HOUR)
    expect(fs.statSync(file)).toMatchObject({ ino, mtimeMs })
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 2 })
  })

  test('goes elsewhere where persist says so, and nowhere with persist: false', async () => {
    const kept = []
    for (const persist of [async ({ clientSecret }) => kept.push(clientSecret), false]) {
      const file = temporaryFile(OLD_FILE)
      const fields = credentials['of two fields of one file'](file)
      const { clock, tokens } = await rotationWorld({ credentials: { ...fields, persist } })
      const rotation = await settled(clock, 0, tokens.rotate(NEW))
      expect(rotation.persisted).toBe(persist ? 'done' : 'none')
      expect(read(file)).toBe(OLD_FILE)
    }
    expect(kept).toEqual(['new'])
  })

  test('of both variables goes to both in blue/green', async () => {
    const file = temporaryFile('APP_ID=blue\nAPP_SECRET=b\n')
    const knobs = { clients: { blue: ['b'], green: ['g'] } }
    const { clock, tokens } = await rotationWorld({ knobs, credentials: fromEnvFile(file, names) })
    await settled(clock, 0, tokens.rotate({ clientId: 'green', clientSecret: 'g' }))
    expect(read(file)).toBe('APP_ID=green\nAPP_SECRET=g\n')
  })

  test('of another client does not go where its client id cannot stand', async () => {
    const file = temporaryFile('APP_SECRET=b\n')
    const knobs = { clients: { blue: ['b'], green: ['g'] } }
    const entry = { clientId: 'blue', clientSecret: fromEnvFile(file, 'APP_SECRET') }
    const { clock, tokens } = await rotationWorld({ knobs, credentials: entry })
    const told = outcomes(tokens)
    const rotation = await settled(clock, 0, tokens.rotate({ clientId: 'green', clientSecret: 'g' }))
    expect([rotation.persisted, read(file)]).toEqual(['impossible', 'APP_SECRET=b\n'])
    expect(told).toEqual([
      expect.objectContaining({
        outcome: 'impossible',
        message: expect.stringContaining('the new secret belongs to the client "green" instead of "blue"'),
      }),
    ])
  })
})

describe('a file that cannot serve', () => {
  const missing = () => path.join(temporaryDirectory(), '.env')

  test.each([
    ['is missing', missing, /there is no file .*\.env/],
    ['lacks a variable', () => temporaryFile('APP_ID=app\n'), /variable APP_SECRET of the file .* not set/],
    ['has it empty', () => temporaryFile('APP_ID=app\nAPP_SECRET=\n'), /variable APP_SECRET of the file/],
    [
      'is read in two ways',
      () => temporaryFile('APP_ID=app\nAPP_SECRET="hunter\\"2"\n'),
      /dotenv and Node\.js read the variable APP_SECRET of the file .* differently/,
    ],
    [
      'holds what nobody sees',
      () => temporaryFile('APP_ID=app\nAPP_SECRET=hunter2\u200b\n'),
      /client secret with an invisible character \(U\+200B\).*variable APP_SECRET of the file/,
    ],
    ['is a directory', temporaryDirectory, /could not be read.* is a directory/],
    ['is a pipe', pipe, /could not be read.* is not a regular file but a pipe/],
  ])('rejects ready() at once: it %s', async (_, make, why) => {
    const { clock, open } = await rotationWorld()
    const tokens = open({ credentials: fromEnvFile(make(), names) })
    const error = await rejection(settled(clock, 0, tokens.ready()))
    expect(error).toMatchObject({ code: 'ERR_CREDENTIAL_UNAVAILABLE', message: expect.stringMatching(why) })
    expect(inspect(error)).not.toContain('hunter')
  })

  test('eight pipes hold up no other file', async () => {
    const { clock, open } = await rotationWorld()
    const pipes = Array.from({ length: 8 }, () => open({ credentials: fromEnvFile(pipe(), names) }))
    const other = open({ credentials: fromEnvFile(temporaryFile(OLD_FILE), names) })
    await settled(clock, 0, other.ready())
    await Promise.all(pipes.map((tokens) => tokens.close()))
    const late = open({ credentials: fromEnvFile(temporaryFile(OLD_FILE), names) })
    await settled(clock, 0, late.ready())
  })

  test('is no error where the entry is optional, and is taken up when it comes', async () => {
    const file = missing()
    const optional = {
      clientId: fromEnvFile(file, 'APP_ID'),
      clientSecret: fromEnvFile(file, 'APP_SECRET'),
      optional: true,
    }
    const credentials = [{ clientId: 'app', clientSecret: 'old' }, optional]
    const { clock, tokens } = await rotationWorld({ credentials })
    expect(tokens.status().credentials).toHaveLength(1)
    fs.writeFileSync(file, OLD_FILE.replace('old', 'new'))
    await clock.advance(POLL)
    expect(tokens.status()).toMatchObject({ generation: 2 })
  })

  test('leaves what it held in use, and comes back', async () => {
    const file = temporaryFile(OLD_FILE)
    const { clock, tokens } = await rotationWorld({ credentials: fromEnvFile(file, names) })
    const told = []
    tokens.on('source', ({ change }) => told.push(change))
    fs.rmSync(file)
    await clock.advance(POLL)
    fs.writeFileSync(file, 'APP_ID=app\nAPP_SECR')
    await clock.advance(POLL)
    fs.writeFileSync(file, OLD_FILE.replace('old', 'new'))
    await clock.advance(POLL)
    expect(told).toEqual(['unreadable', 'emptied', 'changed'])
    expect(tokens.status()).toMatchObject({ generation: 2 })
  })
})

describe('an env file that persist writes, in front of variables', () => {
  let warnings

  beforeEach(() => {
    warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
  })
  afterEach(() => jest.restoreAllMocks())

  const ids = { clientId: 'ROTATED_ID', clientSecret: 'ROTATED_SECRET' }
  const fileOf = (secret) => `ROTATED_ID=app\nROTATED_SECRET=${secret}\n`

  /** Variables with the secret, and a file where new ones are written to. */
  function fronted(secret, file) {
    variables({ clientId: 'app', clientSecret: secret })
    const [clientId, clientSecret] = [fromEnv(ids.clientId), fromEnv(ids.clientSecret)]
    return { clientId, clientSecret, persist: envFile(file, ids) }
  }

  const rolesInOrder = (tokens) => tokens.status().credentials.map(({ role }) => role)

  test('is tried first, so that a process that starts with stale variables has the new secret', async () => {
    const file = temporaryFile(fileOf('new'))
    const knobs = { clients: { app: ['new'] } }
    const { tokens, presented } = await rotationWorld({ knobs, credentials: fronted('old', file) })
    expect(presented()).toEqual(['new'])
    expect(rolesInOrder(tokens)).toEqual(['active', 'standby'])
    expect(warnings.mock.calls).toEqual([
      [
        expect.stringMatching(/ROTATED_ID, ROTATED_SECRET.*fromEnvFile\(\)/),
        { type: 'OAuthRotorWarning', code: 'OAUTH_ROTOR_STALE_VARIABLE' },
      ],
    ])
    const [[message]] = warnings.mock.calls
    expect(message).toContain(`credentials[0]`)
    expect(message).toContain(file)
    expect(message).not.toMatch(/\b(old|new)\b(?! secrets)/)
  })

  test('costs one refused request where its secret is dead, and nobody is warned', async () => {
    const file = temporaryFile(fileOf('dead'))
    const { clock, tokens, presented } = await rotationWorld({ credentials: fronted('old', file) })
    expect(presented()).toEqual(['dead', 'old'])
    await clock.advance(0)
    expect(rolesInOrder(tokens).sort()).toEqual(['active', 'quarantined'])
    expect(warnings).not.toHaveBeenCalled()
  })

  test.each([
    ['a provider that makes new secrets known slowly', { provider: { propagationMs: 60_000 } }],
    ['a bare 401', { answers: [{ status: 401, body: '' }] }],
  ])('costs no more with %s', async (_, options) => {
    const file = temporaryFile(fileOf('dead'))
    const credentials = fronted('old', file)
    const { tokens, presented } = await rotationWorld({ ...options, credentials })
    expect(presented()).toEqual(['dead', 'old'])
    expect(tokens.peek()).toEqual(expect.any(String))
  })

  test('that agrees with the variables changes nothing', async () => {
    const file = temporaryFile(fileOf('old'))
    const { tokens, presented } = await rotationWorld({ credentials: fronted('old', file) })
    expect(presented()).toEqual(['old'])
    expect(tokens.status().credentials).toHaveLength(1)
    expect(warnings).not.toHaveBeenCalled()
  })

  test.each([
    ['is missing', () => path.join(temporaryDirectory(), '.env')],
    ['is incomplete', () => temporaryFile('ROTATED_SECRET=new\n')],
    ['is read in two ways', () => temporaryFile('ROTATED_ID=app\nROTATED_SECRET: new\n')],
    ['is a directory', () => temporaryDirectory()],
    ['is a pipe', pipe],
  ])('that %s counts as absent', async (_, make) => {
    const { clock, open, server } = await rotationWorld()
    const from = server.requests.length
    const tokens = open({ credentials: fronted('old', make()) })
    const told = []
    tokens.on('source', (payload) => told.push(payload))
    await settled(clock, 0, tokens.ready())
    expect(server.requests.slice(from).map(({ presented }) => presented)).toEqual(['old'])
    await clock.advance(10 * POLL)
    expect(told).toEqual([])
    expect(tokens.status().credentials).toHaveLength(1)
    expect(warnings).not.toHaveBeenCalled()
  })

  test('is read once: what is written there later, by whomever, is no change', async () => {
    const file = temporaryFile(fileOf('old'))
    const { clock, tokens, changes } = await rotationWorld({ credentials: fronted('old', file) })
    await settled(clock, 0, tokens.rotate(NEW))
    expect([read(file), process.env.ROTATED_SECRET]).toEqual([fileOf('new'), 'new'])
    fs.writeFileSync(file, fileOf('other'))
    await clock.advance(HOUR + 10 * POLL)
    expect(changes).toEqual(['started', 'staged', 'promoted', 'retired'])
    expect(warnings).not.toHaveBeenCalled()
  })

  test('gets the next secret, and the variables follow it, although they were stale', async () => {
    const file = temporaryFile(fileOf('new'))
    const { clock, tokens } = await rotationWorld({ credentials: fronted('old', file) })
    const rotation = await settled(clock, 0, tokens.rotate({ clientSecret: 'other' }))
    expect([rotation.persisted, read(file), process.env.ROTATED_SECRET]).toEqual([
      'done',
      fileOf('other'),
      'other',
    ])
    await clock.advance(HOUR + 10 * POLL)
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 2 })
    expect(rolesInOrder(tokens)).toEqual(['active', 'standby', 'retired'])
  })

  test('that is older than the variables: they stand in without a failed call when its secret ends', async () => {
    const file = temporaryFile(fileOf('old'))
    const { clock, server, tokens } = await rotationWorld({ credentials: fronted('new', file) })
    expect(rolesInOrder(tokens)).toEqual(['active', 'standby'])
    expect(warnings).toHaveBeenCalledTimes(1)
    server.setSecrets('app', ['new'])
    tokens.invalidate(tokens.peek())
    expect(await settled(clock, 2000, tokens.getToken())).toEqual(expect.any(String))
    expect(server.requests.map(({ presented }) => presented)).toEqual(['old', 'old', 'new'])
    expect(rolesInOrder(tokens).sort()).toEqual(['active', 'quarantined'])
  })

  test('is read anew by every manager that opens, and each tells of its own variables', async () => {
    const file = temporaryFile(fileOf('old'))
    const shared = { name: 'handles with a file', credentials: fronted('old', file) }
    const { clock, open, tokens } = await rotationWorld(shared)
    await settled(clock, 0, tokens.rotate(NEW))
    // As in a thread whose environment is older.
    process.env.OLDER_SECRET = 'old'
    atEnd(() => delete process.env.OLDER_SECRET)
    open({ ...shared, credentials: { ...shared.credentials, clientSecret: fromEnv('OLDER_SECRET') } })
    await clock.advance(POLL)
    expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
    expect(warnings).toHaveBeenCalledTimes(1)
  })

  test('a change of the variables while the process runs is followed', async () => {
    const file = temporaryFile(fileOf('new'))
    const { clock, tokens } = await rotationWorld({ credentials: fronted('old', file) })
    process.env.ROTATED_SECRET = 'other'
    await clock.advance(POLL)
    expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
    // The source of the change is not where it is persisted.
    expect(read(file)).toBe(fileOf('new'))
  })

  test('may hold the secret alone, and be a secret file', async () => {
    variables({ clientId: 'app', clientSecret: 'old' })
    const file = temporaryFile('new\n')
    const persist = secretFile(file)
    const credentials = { clientId: 'app', clientSecret: fromEnv('ROTATED_SECRET'), persist }
    const { clock, tokens, presented } = await rotationWorld({ credentials })
    expect(presented()).toEqual(['new'])
    expect(warnings.mock.calls[0][0]).toContain('fromFile()')
    await settled(clock, 0, tokens.rotate({ clientSecret: 'other' }))
    expect(read(file)).toBe('other\n')
  })

  test('that holds only the secret belongs to the entry’s client id', async () => {
    variables({ clientId: 'app', clientSecret: 'old' })
    const file = temporaryFile('ROTATED_SECRET=new\n')
    const persist = envFile(file, { clientSecret: 'ROTATED_SECRET' })
    const credentials = { clientId: 'app', clientSecret: fromEnv('ROTATED_SECRET'), persist }
    const knobs = { clients: { app: ['new'] } }
    const { presented } = await rotationWorld({ knobs, credentials })
    expect(presented()).toEqual(['new'])
    expect(warnings).toHaveBeenCalledTimes(1)
  })
})
