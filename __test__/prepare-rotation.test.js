'use strict'

const fs = require('node:fs')
const path = require('node:path')

const { envFile, secretFile } = require('..')
const { temporaryDirectory, temporaryFile } = require('./support/changing')
const { closeAll, manager, rejection, server, virtualWorld } = require('./support/world')
const {
  HOUR,
  MINUTE,
  NEW,
  OLD,
  SECOND,
  isPending,
  named,
  rotationWorld,
  settled,
} = require('./support/rotations')

afterEach(closeAll)

test('a fresh token bridges the change, and nobody presents the secret that is about to die', async () => {
  const { clock, tokens, changes, presented } = await rotationWorld({ timeZone: 'America/Sao_Paulo' })
  const held = tokens.peek()
  await clock.advance(HOUR)
  const preparation = await settled(clock, 0, tokens.prepareRotation())
  expect(tokens.peek()).not.toBe(held)
  const { expiresAt, expiresAtLocal } = tokens.status().token
  expect(preparation).toMatchObject({
    safeUntil: expiresAt,
    safeUntilLocal: expiresAtLocal,
    custody: 'none',
  })
  // Nothing is shared between processes: there is no list of who is ready.
  expect(preparation).not.toHaveProperty('membersReady')
  expect(preparation).not.toHaveProperty('membersNotReady')
  expect(tokens.status().phase).toBe('prepared')
  expect(changes.at(-1)).toBe('prepared')
  const before = presented().length
  await clock.advance(15 * MINUTE - 1)
  expect([tokens.status().phase, presented().length]).toEqual(['prepared', before])
  await clock.advance(1)
  expect(tokens.status().phase).toBe('stable')
  expect(changes.at(-1)).toBe('preparation-ended')
})

test('a person regenerates the secret and tells the new one: no request ever fails', async () => {
  const { clock, server, tokens } = await rotationWorld()
  await settled(clock, 0, tokens.prepareRotation({ minRunwayMs: HOUR }))
  const clientSecret = server.regenerateSecret('app')
  await clock.advance(10 * MINUTE)
  expect(tokens.peek()).toEqual(expect.any(String))
  const rotation = await settled(clock, 0, tokens.rotate({ clientSecret, label: 'new' }))
  expect(rotation).toMatchObject({ phase: 'overlap', active: named(NEW) })
  await clock.advance(24 * HOUR)
  expect(tokens.peek()).toEqual(expect.any(String))
  expect(server.requests.every(({ status }) => status === 200)).toBe(true)
})

test('it ends where the soft window of the fresh token begins', async () => {
  const { clock, tokens } = await rotationWorld({
    knobs: { lifetimeMs: 10 * MINUTE },
    refreshBeforeMs: 2 * MINUTE,
  })
  const { safeUntil } = await settled(clock, 0, tokens.prepareRotation())
  await clock.advance(safeUntil - clock.now() - 2 * MINUTE - 1)
  expect(tokens.status().phase).toBe('prepared')
  await clock.advance(1)
  expect(tokens.status().phase).toBe('stable')
})

test('cancel ends it, as often as it is called', async () => {
  const { clock, tokens, changes } = await rotationWorld()
  const preparation = await settled(clock, 0, tokens.prepareRotation())
  expect(await settled(clock, 0, preparation.cancel())).toBeUndefined()
  expect(tokens.status().phase).toBe('stable')
  expect(await settled(clock, 0, preparation.cancel())).toBeUndefined()
  expect(changes).toEqual(['started', 'prepared', 'preparation-ended'])
  await tokens.close()
  expect((await rejection(preparation.cancel())).code).toBe('ERR_CLOSED')
})

test('a token that is dropped ends it, and another one is fetched', async () => {
  const { clock, tokens, changes } = await rotationWorld()
  await settled(clock, 0, tokens.prepareRotation())
  await clock.advance(MINUTE)
  const dropped = tokens.peek()
  expect(tokens.invalidate(dropped)).toBe(true)
  expect(await settled(clock, 0, tokens.getToken())).not.toBe(dropped)
  expect(tokens.status().phase).toBe('stable')
  expect(changes.at(-1)).toBe('preparation-ended')
})

test('a token that lives too short to bridge a change is refused, with how long it would', async () => {
  const { clock, tokens, changes } = await rotationWorld({ knobs: { lifetimeMs: HOUR } })
  const error = await rejection(settled(clock, 0, tokens.prepareRotation({ minRunwayMs: 2 * HOUR })))
  expect(error).toMatchObject({
    code: 'ERR_LIFETIME_TOO_SHORT',
    safeUntil: expect.any(Date),
    safeUntilLocal: expect.any(String),
  })
  expect(error.lifetimeMs).toBeGreaterThan(HOUR / 2)
  expect(error.lifetimeMs).toBeLessThanOrEqual(HOUR)
  expect(error.stack).toContain(__filename)
  expect(tokens.status().phase).toBe('stable')
  expect(changes).toEqual(['started'])
})

test('an endpoint that is out cannot be prepared for, and the held token stays', async () => {
  const { clock, server, tokens } = await rotationWorld()
  const held = tokens.peek()
  server.set({ outage: 503 })
  const error = await rejection(settled(clock, 0, tokens.prepareRotation()))
  expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', cause: { code: 'ERR_ENDPOINT', status: 503 } })
  expect(error.message).toContain(error.cause.message)
  expect(tokens.status().phase).toBe('stable')
  expect(tokens.peek()).toBe(held)
})

test('before the first token there is nothing to prepare', async () => {
  const { clock, open } = await virtualWorld()
  const tokens = open({ credentials: () => new Promise(() => {}) })
  const error = await rejection(settled(clock, 0, tokens.prepareRotation()))
  expect(error.code).toBe('ERR_TOKEN_UNAVAILABLE')
})

test('while a rotation is open it is a conflict', async () => {
  const { clock, server, tokens } = await rotationWorld()
  server.set({ outage: 503 })
  const rotating = tokens.rotate(NEW)
  await clock.advance(0)
  expect((await rejection(settled(clock, 0, tokens.prepareRotation()))).code).toBe('ERR_ROTATION_CONFLICT')
  server.set({ outage: false })
  await settled(clock, MINUTE, rotating)
  expect((await rejection(settled(clock, 0, tokens.prepareRotation()))).code).toBe('ERR_ROTATION_CONFLICT')
})

test('while no known secret is accepted there is nothing to prepare', async () => {
  const { clock, server, tokens } = await rotationWorld()
  server.setSecrets('app', [])
  tokens.invalidate(tokens.peek())
  await clock.advance(SECOND)
  const error = await rejection(settled(clock, 0, tokens.prepareRotation()))
  expect(error).toMatchObject({ code: 'ERR_DEGRADED', retryable: true })
})

test('an abort ends the wait', async () => {
  const { clock, server, tokens } = await rotationWorld()
  server.set({ latencyMs: 5000 })
  const controller = new AbortController()
  const preparing = tokens.prepareRotation({ signal: controller.signal })
  expect(await isPending(clock, preparing)).toBe(true)
  controller.abort('enough')
  expect(await rejection(preparing)).toBe('enough')
})

test('how often a secret is proved does not end it', async () => {
  const { clock, tokens } = await rotationWorld({ proveEveryMs: MINUTE })
  await settled(clock, 0, tokens.prepareRotation())
  await clock.advance(15 * MINUTE - 1)
  expect(tokens.status().phase).toBe('prepared')
})

describe('what would keep a new secret', () => {
  const inside = (...names) => path.join(temporaryDirectory(), ...names)
  const PERSISTS = [
    ['a file that is there', () => secretFile(temporaryFile('old')), 'kept'],
    ['a file that can be made', () => secretFile(inside('secret')), 'kept'],
    ['an env file that is there', () => envFile(temporaryFile('S=old\n'), { clientSecret: 'S' }), 'kept'],
    ['an env file that can be made', () => envFile(inside('.env'), { clientSecret: 'S' }), 'kept'],
    [
      'an env file that cannot be understood',
      () => envFile(temporaryFile('A=a\u2028S=old\n'), { clientSecret: 'S' }),
      'none',
    ],
    ['a directory in its place', () => secretFile(temporaryDirectory()), 'none'],
    ['a function', () => async () => {}, 'untested'],
    ['nothing', () => undefined, 'none'],
  ]

  // In real time: the instant after ready() is when people call it.
  test.each(PERSISTS)('is told as soon as a token is there: %s', async (_, makePersist, custody) => {
    const persist = makePersist()
    const provider = await server()
    const tokens = manager(provider, { credentials: { clientId: 'app', clientSecret: 'secret', persist } })
    await tokens.ready()
    expect(await tokens.prepareRotation()).toMatchObject({ custody })
  })

  test('is tried without a trace', async () => {
    const file = inside('.env')
    fs.writeFileSync(file, 'S=old\n')
    const before = fs.statSync(file)
    const tokens = manager(await server(), {
      credentials: { clientId: 'app', clientSecret: 'secret', persist: envFile(file, { clientSecret: 'S' }) },
    })
    await tokens.ready()
    await tokens.prepareRotation()
    expect(fs.readdirSync(path.dirname(file))).toEqual(['.env'])
    const { ino, mtimeMs } = fs.statSync(file)
    expect({ ino, mtimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs })
    expect(fs.readFileSync(file, 'utf8')).toBe('S=old\n')
  })

  test('is a function that has kept one before', async () => {
    const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist: async () => {} } })
    await settled(clock, 0, tokens.rotate(NEW))
    await clock.advance(2 * HOUR)
    expect(await settled(clock, 0, tokens.prepareRotation())).toMatchObject({ custody: 'kept' })
  })
})
