'use strict'

const fs = require('node:fs')
const path = require('node:path')

const { fromFile, secretFile } = require('..')
const { closeAll, rejection } = require('./support/world')
const { temporaryDirectory, temporaryFile } = require('./support/changing')
const { HOUR, MINUTE, NEW, OLD, SECOND, named, rotationWorld, settled } = require('./support/rotations')

afterEach(closeAll)

const RETRY = 10 * SECOND
const failure = (code) => Object.assign(new Error('hunter2'), { code })

/** A vault whose calls fail with this code until its `open()`. */
const failing = (code) => () => {
  let isDown = true
  const kept = []
  return {
    persist: async ({ clientSecret }) => {
      if (isDown) throw failure(code)
      kept.push(clientSecret)
    },
    open: () => (isDown = false),
    kept: () => kept,
  }
}

/**
 * A vault that is down until its `open()`: what it does meanwhile, and whether it has the new
 * secret.
 */
const VAULTS = {
  'a vault whose calls fail': failing('ECONNREFUSED'),
  'a vault that hangs until its signal is aborted': () => {
    let isDown = true
    const kept = []
    return {
      persist: async ({ clientSecret }, { signal }) => {
        if (isDown)
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        kept.push(clientSecret)
      },
      open: () => (isDown = false),
      kept: () => kept,
    }
  },
  'a vault that hangs, hears no signal, and succeeds at last': () => {
    let open
    const opened = new Promise((resolve) => (open = resolve))
    const kept = []
    return {
      persist: async ({ clientSecret }) => {
        await opened
        kept.push(clientSecret)
      },
      open: () => open(),
      kept: () => kept,
    }
  },
  'a directory that has gone': () => {
    const directory = temporaryDirectory()
    const mount = path.join(directory, 'mount')
    fs.mkdirSync(mount)
    const file = path.join(mount, 'secret')
    return {
      persist: secretFile(file),
      begin: () => fs.rmdirSync(mount),
      open: () => fs.mkdirSync(mount),
      kept: () => (fs.existsSync(file) ? [fs.readFileSync(file, 'utf8').trim()] : []),
    }
  },
  'a read-only file system': () => ({
    persist: () => Promise.reject(failure('EROFS')),
    open: () => {},
    isReadOnly: true,
    kept: () => [],
  }),
  'a full disk': failing('ENOSPC'),
}

/**
 * A person has pressed Regenerate, and given the new secret to `rotate()` while the vault is down.
 */
async function regenerated(make, { prepare = true } = {}) {
  const vault = make()
  const world = await rotationWorld({ credentials: { ...OLD, persist: vault.persist } })
  vault.begin?.()
  if (prepare) await settled(world.clock, 0, world.tokens.prepareRotation())
  const clientSecret = world.server.regenerateSecret('app')
  const rotation = world.tokens.rotate({ ...NEW, clientSecret })
  rotation.catch(() => {})
  return { ...world, vault, rotation, clientSecret }
}

describe.each(Object.entries(VAULTS))('a persist for the new secret: %s', (_, make) => {
  test.each([0, 5, 60])('that is down for %d minutes after Regenerate costs no token', async (minutes) => {
    const { clock, tokens, vault, rotation, clientSecret } = await regenerated(make)
    await clock.advance(minutes * MINUTE)
    vault.open()
    // Nobody has to do anything any more: beyond the life of every token that the old secret had
    // made.
    for (let hour = 0; hour < 49; hour++) {
      await clock.advance(HOUR)
      expect(tokens.peek()).toEqual(expect.any(String))
    }
    expect(await rotation).toMatchObject({ active: named(NEW) })
    expect(tokens.status()).toMatchObject({ generation: 2, token: { label: 'new' } })
    expect(vault.kept().at(-1)).toBe(vault.isReadOnly ? undefined : clientSecret)
  })

  test('takes over within a minute of the old secret’s death, though nobody presented that one since', async () => {
    const { clock, tokens, changes } = await regenerated(make, { prepare: false })
    await clock.advance(MINUTE + 10 * SECOND)
    expect(tokens.status()).toMatchObject({ generation: 2, token: { label: 'new' } })
    expect(changes).toContain('not-persisted')
  })
})

test('while the old secret works the caller learns why it waits, and the new one stays a fallback', async () => {
  const persist = () => Promise.reject(failure('ECONNREFUSED'))
  const { clock, server, tokens, changes } = await rotationWorld({
    credentials: { ...OLD, persist },
    knobs: { lifetimeMs: HOUR },
  })
  const error = await settled(clock, 5 * MINUTE, rejection(tokens.rotate(NEW)))
  expect(error).toMatchObject({
    code: 'ERR_ROTATION_TIMEOUT',
    cause: {
      code: 'ERR_NO_CUSTODY',
      cause: {
        code: 'ERR_PERSIST_FAILED',
        message: expect.stringMatching(/credentials\[0\] \("old"\).*ECONNREFUSED/),
      },
    },
  })
  expect(error.message).not.toContain('hunter2')
  await clock.advance(2 * MINUTE)
  expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1, token: { label: 'old' } })
  expect(changes.at(-1)).toBe('candidate-withdrawn')
  const fallback = tokens.status().credentials.find(({ label }) => label === 'new')
  expect(fallback).toMatchObject({ role: 'standby' })

  // An hour later the provider ends the old secret.
  await clock.advance(HOUR)
  server.setSecrets('app', ['new'])
  await clock.advance(HOUR)
  expect(tokens.status()).toMatchObject({ generation: 2, token: { label: 'new' } })
  expect(tokens.peek()).toEqual(expect.any(String))
})

test('who still waits at the end of the phase gets ERR_NO_CUSTODY, and the event says why', async () => {
  const persist = () => Promise.reject(failure('ENOSPC'))
  const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
  const told = []
  tokens.on('rotation', (event) => told.push(event))
  const error = await settled(clock, 11 * MINUTE, rejection(tokens.rotate({ ...NEW, deadlineMs: HOUR })))
  expect(error).toMatchObject({ code: 'ERR_NO_CUSTODY', cause: { code: 'ERR_PERSIST_FAILED' } })
  expect(told.at(-1)).toMatchObject({
    change: 'candidate-withdrawn',
    reason: 'no-custody',
    next: named(NEW),
    rotationId: error.rotationId,
    message: expect.stringMatching(/stays a fallback/),
  })
})

test('a signal is aborted after persistTimeoutMs, and the call is made again', async () => {
  const calls = []
  const persist = (credential, { signal }) =>
    new Promise((resolve, reject) => {
      calls.push({ signal, resolve })
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const { clock, tokens } = await rotationWorld({
    credentials: { ...OLD, persist },
    persistTimeoutMs: 5 * SECOND,
  })
  const rotation = tokens.rotate(NEW)
  await clock.advance(5 * SECOND - 1)
  expect(calls.map(({ signal }) => signal.aborted)).toEqual([false])
  await clock.advance(1)
  expect(calls.map(({ signal }) => signal.aborted)).toEqual([true])
  const [waiting] = tokens.status().rotation.waitingFor
  expect(waiting).toMatchObject({
    code: 'custody',
    message: expect.stringMatching(
      /persist of credentials\[0\] \("old"\) failed: .*persistTimeoutMs \(5000 ms\)/,
    ),
    since: expect.any(Date),
  })
  await clock.advance(RETRY)
  expect(calls).toHaveLength(2)
  calls[1].resolve()
  expect(await settled(clock, 0, rotation)).toMatchObject({ persisted: 'done' })
})

test('a call that hears no signal is not made twice at a time, and its late success counts', async () => {
  const calls = []
  const persist = jest.fn(() => new Promise((resolve) => calls.push(resolve)))
  const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
  const rotation = tokens.rotate(NEW)
  await clock.advance(4 * MINUTE)
  expect(persist).toHaveBeenCalledTimes(1)
  const { message } = tokens.health().problems.find(({ code }) => code === 'persist-failing')
  expect(message).toMatch(/persistTimeoutMs \(30000 ms\)\. It is tried again when this attempt has settled/)
  calls[0]()
  expect(await settled(clock, 0, rotation)).toMatchObject({ persisted: 'done', active: named(NEW) })
})

test('a source that yields the new secret is a durable copy: it needs no persist', async () => {
  const file = temporaryFile('old')
  const { clock, tokens } = await rotationWorld({
    credentials: { ...OLD, clientSecret: fromFile(file), persist: () => Promise.reject(failure('EIO')) },
  })
  const rotation = tokens.rotate(NEW)
  rotation.catch(() => {})
  await clock.advance(30 * SECOND)
  expect(tokens.status().phase).toBe('staged')
  fs.writeFileSync(file, 'new')
  await clock.advance(RETRY)
  expect((await rotation).active).toMatchObject({ clientId: 'app' })
  expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
})
