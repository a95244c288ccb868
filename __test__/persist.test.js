'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { envFile, fromFile, secretFile } = require('..')
const { closeAll, event, rejection } = require('./support/world')
const { temporaryDirectory, temporaryFile, variables } = require('./support/changing')
const {
  HOUR,
  MINUTE,
  NEW,
  OLD,
  isPending,
  named,
  roles,
  rotationWorld,
  settled,
} = require('./support/rotations')

afterEach(closeAll)

const POLL = 10_000
const read = (file) => fs.readFileSync(file, 'utf8')

/** A function that keeps what it gets, and first fails in these ways. */
function keeper(...failures) {
  return jest.fn(async () => {
    if (failures.length > 0) throw failures.shift()
  })
}

const failure = (code) => Object.assign(new Error('hunter2-secret'), { code })

/** All that is told of writing back. */
function outcomes(tokens) {
  const told = []
  tokens.on('persisted', (payload) => told.push(payload))
  return told
}

describe('process.env', () => {
  test('gets what replaces the credential that came from it, and that starts nothing', async () => {
    const credentials = variables({ clientId: 'app', clientSecret: 'old' })
    const { clock, tokens, changes } = await rotationWorld({ credentials })
    const rotation = await settled(clock, 0, tokens.rotate(NEW))
    expect([process.env.ROTATED_ID, process.env.ROTATED_SECRET]).toEqual(['app', 'new'])
    expect(rotation.persisted).toBe('none')
    await clock.advance(HOUR + 10 * POLL)
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 2 })
    expect(changes.filter((change) => change === 'staged')).toHaveLength(1)
  })

  test('is written where it was replaced as a whole, and both variables in blue/green', async () => {
    const knobs = { clients: { blue: 'b', green: 'g' } }
    const credentials = variables({ clientId: 'blue', clientSecret: 'b' })
    const { clock, tokens } = await rotationWorld({ knobs, credentials })
    process.env = { ROTATED_ID: 'blue', ROTATED_SECRET: 'b' }
    await settled(clock, 0, tokens.rotate({ clientId: 'green', clientSecret: 'g' }))
    expect(process.env).toEqual({ ROTATED_ID: 'green', ROTATED_SECRET: 'g' })
  })

  test('is left alone by a rotation that fails', async () => {
    const credentials = variables({ clientId: 'app', clientSecret: 'old' })
    const { clock, tokens } = await rotationWorld({ credentials })
    await rejection(settled(clock, 5000, tokens.rotate({ clientSecret: 'wrong' })))
    expect(process.env.ROTATED_SECRET).toBe('old')
  })
})

describe('an env file', () => {
  test('gets both variables, and keeps everything else', async () => {
    const file = temporaryFile('# mine\nGC_ID=app\nexport OTHER=x # why\nGC_SECRET=old\n')
    const persist = envFile(file, { clientId: 'GC_ID', clientSecret: 'GC_SECRET' })
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    const told = outcomes(tokens)
    const rotation = await settled(clock, 0, tokens.rotate(NEW))
    expect(rotation.persisted).toBe('done')
    expect(read(file).replace(/["']/g, '')).toBe('# mine\nGC_ID=app\nexport OTHER=x # why\nGC_SECRET=new\n')
    expect(told).toEqual([expect.objectContaining({ entry: 0, outcome: 'done', ...named(NEW) })])
  })

  test('that cannot be written is given up, with an event', async () => {
    const persist = envFile(temporaryDirectory(), { clientId: 'GC_ID', clientSecret: 'GC_SECRET' })
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    const told = outcomes(tokens)
    const rotation = await settled(clock, 0, tokens.rotate(NEW))
    expect(rotation.persisted).toBe('impossible')
    expect(told).toEqual([expect.objectContaining({ outcome: 'impossible', message: expect.any(String) })])
  })
})

test('a shell that sources an env file runs nothing of the new secret: what has no safe form is not written', async () => {
  const ran = path.join(temporaryDirectory(), 'ran')
  const secrets = { safe: `$(>${ran})`, unsafe: `it's $(>${ran})` }
  for (const [kind, clientSecret] of Object.entries(secrets)) {
    const text = '# mine\nGC_SECRET="old"\n'
    const file = temporaryFile(text)
    const persist = envFile(file, { clientSecret: 'GC_SECRET' })
    const knobs = { clients: { app: ['old', clientSecret] } }
    const { clock, tokens } = await rotationWorld({ knobs, credentials: { ...OLD, persist } })
    const told = outcomes(tokens)
    const rotation = await settled(clock, 0, tokens.rotate({ clientSecret }))
    const sourced = spawnSync('/bin/sh', ['-c', '. "$0"; printf %s "$GC_SECRET"', file], { encoding: 'utf8' })
    expect(fs.existsSync(ran)).toBe(false)
    if (kind === 'safe') {
      expect([rotation.persisted, sourced.stdout]).toEqual(['done', clientSecret])
    } else {
      expect([rotation.persisted, read(file)]).toEqual(['impossible', text])
      expect(told[0].message).toMatch(/GC_SECRET.*secretFile\(path\)/)
    }
    expect(JSON.stringify(told)).not.toContain('>')
  }
})

describe('a secret file', () => {
  test('that the secret is read from gets the new one, which starts nothing', async () => {
    const file = temporaryFile('old\n')
    const credentials = { ...OLD, clientSecret: fromFile(file), persist: secretFile(file) }
    const { clock, tokens, changes } = await rotationWorld({ credentials })
    const rotation = await settled(clock, 0, tokens.rotate(NEW))
    expect([rotation.persisted, read(file)]).toEqual(['done', 'new\n'])
    await clock.advance(HOUR + 10 * POLL)
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 2 })
    expect(changes).toEqual(['started', 'staged', 'promoted', 'retired'])
  })

  test('that the new secret came from is not written', async () => {
    const file = temporaryFile('old\n')
    const credentials = { ...OLD, clientSecret: fromFile(file), persist: secretFile(file) }
    const { clock, tokens } = await rotationWorld({ credentials })
    fs.writeFileSync(file, 'new')
    const { ino, mtimeMs } = fs.statSync(file)
    await clock.advance(POLL)
    expect(tokens.status().generation).toBe(2)
    await clock.advance(2 * HOUR)
    expect(fs.statSync(file)).toMatchObject({ ino, mtimeMs })
    expect(tokens.status().phase).toBe('stable')
  })
})

describe('a function', () => {
  test('is called once, with the new credential, before the promotion that depends on it', async () => {
    let finish
    const persist = jest.fn(() => new Promise((resolve) => (finish = resolve)))
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    const rotating = tokens.rotate(NEW)
    expect(await isPending(clock, rotating)).toBe(true)
    expect(persist.mock.calls.map(([credential]) => credential)).toEqual([
      { ...named(NEW), clientSecret: 'new' },
    ])
    expect(tokens.status()).toMatchObject({ phase: 'staged', token: { label: 'old' } })
    finish()
    expect(await settled(clock, 0, rotating)).toMatchObject({ phase: 'overlap', persisted: 'done' })
    await clock.advance(2 * HOUR)
    expect(persist).toHaveBeenCalledTimes(1)
    expect(roles(tokens)).toEqual({ old: 'retired', new: 'active' })
  })

  test('that fails is called again, and told of by nothing but the kind of its error', async () => {
    const persist = keeper(failure('ECONNRESET'), failure('ECONNRESET'))
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    const told = outcomes(tokens)
    const rotation = await settled(clock, MINUTE, tokens.rotate(NEW))
    expect(rotation.persisted).toBe('done')
    expect(told.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'done'])
    expect(told[0].message).toContain('Error (ECONNRESET)')
    expect(JSON.stringify(told)).not.toContain('hunter2')
  })

  test('that never succeeds keeps the secret from being promoted, for nothing else keeps it', async () => {
    const persist = jest.fn(() => Promise.reject(failure('ECONNRESET')))
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    const error = await rejection(settled(clock, 10 * MINUTE, tokens.rotate({ ...NEW, deadlineMs: HOUR })))
    expect(error).toMatchObject({ code: 'ERR_NO_CUSTODY', rotationId: expect.any(String) })
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1, token: { label: 'old' } })
    expect(tokens.rotation()).toMatchObject({ phase: 'failed', reason: 'ERR_NO_CUSTODY' })
  })

  test('that awaits what it cannot get is told as missing custody', async () => {
    const persist = keeper(failure('ECONNRESET'))
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    const awaiting = event(tokens, 'rotation', ({ change }) => change === 'awaiting-custody')
    await settled(clock, MINUTE, tokens.rotate(NEW))
    expect(await awaiting).toMatchObject({ from: 'staged', to: 'staged' })
  })

  test.each([['EROFS'], ['EBUSY'], ['EACCES'], ['EPERM']])('that fails with %s is given up', async (code) => {
    const persist = jest.fn(() => Promise.reject(failure(code)))
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    const told = outcomes(tokens)
    const rotation = await settled(clock, 0, tokens.rotate(NEW))
    expect(rotation).toMatchObject({ phase: 'overlap', persisted: 'impossible' })
    expect((await settled(clock, 0, rotation.until('persisted'))).persisted).toBe('impossible')
    await clock.advance(MINUTE)
    expect(persist).toHaveBeenCalledTimes(1)
    expect(told.map(({ outcome }) => outcome)).toEqual(['impossible'])
    // Nothing but this process has the new secret: the old one is not given up for it.
    const error = await rejection(settled(clock, 0, rotation.retireNow()))
    expect(error).toMatchObject({ code: 'ERR_RETIRE_BLOCKED', missing: { custody: true, sinks: [] } })
    expect((await settled(clock, 0, rotation.retireNow({ force: true }))).phase).toBe('retired')
  })

  test('that was given up is called again by rotate() with the same secret', async () => {
    let isReadOnly = true
    const persist = jest.fn(async () => {
      if (isReadOnly) throw failure('EROFS')
    })
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    const told = outcomes(tokens)
    await settled(clock, 0, tokens.rotate(NEW))
    isReadOnly = false
    const rotation = await settled(clock, 0, tokens.rotate(NEW))
    expect((await settled(clock, 0, rotation.until('persisted'))).persisted).toBe('done')
    expect(told.map(({ outcome }) => outcome)).toEqual(['impossible', 'done'])
    expect(tokens.health().problems).toEqual([])
  })

  test('that throws at once fails like one that rejects', async () => {
    const persist = jest.fn(() => {
      throw failure('EROFS')
    })
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
    expect((await settled(clock, 0, tokens.rotate(NEW))).persisted).toBe('impossible')
  })
})

describe('where a source of its own yields the new secret', () => {
  test('the old one’s entry is written when the overlap is over, before the old one retires', async () => {
    const persist = keeper()
    const { clock, tokens } = await rotationWorld({ credentials: [{ ...OLD, persist }, NEW] })
    const rotation = await settled(clock, 0, tokens.rotate())
    expect(rotation.persisted).toBe('pending')
    await clock.advance(HOUR - 1)
    expect(persist).not.toHaveBeenCalled()
    await clock.advance(POLL)
    expect(persist.mock.calls.map(([credential]) => credential)).toEqual([
      { ...named(NEW), clientSecret: 'new' },
    ])
    expect(tokens.rotation()).toMatchObject({ phase: 'retired', persisted: 'done' })
  })

  test('a function that fails keeps the old one from being retired, unless that is forced', async () => {
    const persist = jest.fn(() => Promise.reject(failure('ECONNRESET')))
    const { clock, tokens, changes } = await rotationWorld({ credentials: [{ ...OLD, persist }, NEW] })
    const rotation = await settled(clock, 0, tokens.rotate())
    const overdue = event(tokens, 'rotation', ({ change }) => change === 'overdue')
    await clock.advance(HOUR + 11 * MINUTE)
    expect((await overdue).missing).toMatchObject({ sinks: [0], custody: false })
    expect(changes.filter((change) => change === 'overdue')).toHaveLength(1)
    expect(roles(tokens)).toEqual({ old: 'previous', new: 'active' })
    expect(tokens.peek()).toEqual(expect.any(String))
    const error = await rejection(settled(clock, 0, rotation.retireNow()))
    expect(error).toMatchObject({ code: 'ERR_RETIRE_BLOCKED', missing: { sinks: [0] }, retryable: true })
    expect(await isPending(clock, rotation.until('persisted'))).toBe(true)
    expect((await settled(clock, 0, rotation.retireNow({ force: true }))).phase).toBe('retired')
    expect(changes.at(-1)).toBe('retired')
  })

  test('a function that fails keeps nothing from being retired once its manager is closed', async () => {
    const persist = jest.fn(() => Promise.reject(failure('ECONNRESET')))
    const world = await rotationWorld({ name: 'shared', credentials: { ...OLD, persist } })
    const other = world.open({ name: 'shared', credentials: NEW })
    await world.clock.advance(2 * HOUR)
    expect(roles(other)).toEqual({ old: 'previous', new: 'active' })
    expect(persist).toHaveBeenCalled()
    await world.tokens.close()
    await world.clock.advance(MINUTE)
    expect(roles(other)).toEqual({ old: 'retired', new: 'active' })
  })

  test('a file that cannot be written does not keep it, for the source does', async () => {
    const persist = jest.fn(() => Promise.reject(failure('EROFS')))
    const { clock, tokens } = await rotationWorld({ credentials: [{ ...OLD, persist }, NEW] })
    await settled(clock, 0, tokens.rotate())
    await clock.advance(HOUR + POLL)
    expect(tokens.rotation()).toMatchObject({ phase: 'retired', persisted: 'impossible' })
  })
})
