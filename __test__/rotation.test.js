'use strict'

const { inspect } = require('node:util')

const { NoFleetError } = require('..')
const { closeAll, rejection } = require('./support/world')
const {
  HOUR,
  MINUTE,
  NEW,
  OLD,
  OTHER,
  isPending,
  named,
  roles,
  rotationWorld,
  settled,
} = require('./support/rotations')

afterEach(closeAll)

/** A world in which the old secret has just become a fallback. */
async function overlap(options) {
  const world = await rotationWorld(options)
  return { ...world, rotation: await settled(world.clock, 0, world.tokens.rotate(NEW)) }
}

test('there is none before the first one, and then the latest as it is', async () => {
  const { clock, tokens } = await rotationWorld()
  expect(tokens.rotation()).toBeUndefined()
  expect(tokens.status().rotation).toBeNull()
  const rotation = await settled(clock, 0, tokens.rotate(NEW))
  expect(tokens.rotation()).toEqual(rotation)
  await clock.advance(HOUR)
  expect(tokens.rotation().phase).toBe('retired')
  expect(rotation.phase).toBe('overlap')
  expect(() => Object.assign(rotation, { phase: 'retired' })).toThrow(TypeError)
})

test('printing one shows what it is about, and no secret', async () => {
  const secret = 'hunter2-secret'
  const knobs = { clients: { app: ['old', secret] } }
  const { clock, tokens } = await rotationWorld({ knobs })
  const rotation = await settled(clock, 0, tokens.rotate({ clientSecret: secret, label: 'autumn' }))
  expect(inspect(rotation)).toMatch(/^Rotation \{\s+rotationId: 'r-[0-9a-f]{16}',\s+phase: 'overlap'/)
  expect(JSON.parse(JSON.stringify(rotation))).toMatchObject({
    phase: 'overlap',
    active: { label: 'autumn' },
  })
  const shown = [inspect(rotation, { depth: 9, showHidden: true }), JSON.stringify(rotation)]
  for (const text of shown) {
    expect(text).not.toContain(secret)
    expect(text).not.toContain(tokens.peek())
  }
})

describe('rollback', () => {
  test('makes the previous secret the active one again, with a token of its own', async () => {
    const { clock, tokens, rotation, changes } = await overlap()
    const held = tokens.peek()
    const back = await settled(clock, 0, rotation.rollback())
    expect(back).toMatchObject({
      rotationId: rotation.rotationId,
      phase: 'rolled-back',
      generation: 3,
      active: named(OLD),
      previous: named(NEW),
    })
    expect(tokens.peek()).not.toBe(held)
    expect(tokens.status()).toMatchObject({ phase: 'overlap', token: { label: 'old' } })
    expect(changes.at(-1)).toBe('rolled-back')
    const conflict = await rejection(settled(clock, 0, rotation.until('retired')))
    expect(conflict.code).toBe('ERR_ROTATION_CONFLICT')
    await clock.advance(HOUR)
    expect(roles(tokens)).toEqual({ old: 'active', new: 'retired' })
    // Whoever waited for the old one's end must not take the new one's end for it.
    expect(tokens.rotation()).toMatchObject({ phase: 'rolled-back', previous: null })
    const error = await rejection(settled(clock, 0, rotation.until('retired')))
    expect(error.code).toBe('ERR_ROTATION_CONFLICT')
  })

  test('is what naming the previous secret means', async () => {
    const { clock, tokens } = await overlap()
    const rotation = await settled(clock, 0, tokens.rotate({ clientSecret: 'old' }))
    expect(rotation).toMatchObject({ phase: 'rolled-back', active: named(OLD), generation: 3 })
    expect(rotation.previous).toEqual(named(NEW))
    expect(roles(tokens)).toEqual({ old: 'active', new: 'previous' })
  })

  test('to a secret that is dead is refused, and the new one stays', async () => {
    const { clock, server, tokens, rotation } = await overlap()
    server.setSecrets('app', ['new'])
    const error = await rejection(settled(clock, 0, rotation.rollback()))
    expect(error).toMatchObject({
      code: 'ERR_CANDIDATE_REJECTED',
      credentialId: rotation.previous.credentialId,
    })
    expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2, token: { label: 'new' } })
  })

  test('after the overlap has nothing to go back to', async () => {
    const { clock, rotation } = await overlap()
    await clock.advance(HOUR)
    expect((await rejection(settled(clock, 0, rotation.rollback()))).code).toBe('ERR_NO_CANDIDATE')
  })
})

describe('retireNow', () => {
  test('ends the overlap, and the old secret is never presented again', async () => {
    const { clock, server, tokens, rotation, presented } = await overlap()
    const retired = await settled(clock, 0, rotation.retireNow())
    expect(retired).toMatchObject({ phase: 'retired', previous: null, generation: 2 })
    expect(roles(tokens)).toEqual({ old: 'retired', new: 'active' })
    const before = presented().length
    server.setSecrets('app', ['old'])
    tokens.invalidate(tokens.peek())
    await clock.advance(HOUR)
    expect(presented().length).toBeGreaterThan(before)
    expect(presented().slice(before)).not.toContain('old')
  })

  test.each([[false], [true]])(
    'with force: %p waits until the new one is proved once more',
    async (force) => {
      const { clock, server, tokens, rotation } = await overlap()
      await clock.advance(2 * MINUTE)
      server.set({ outage: 503 })
      const retiring = rotation.retireNow({ force })
      await clock.advance(MINUTE)
      expect(await isPending(clock, retiring)).toBe(true)
      expect(roles(tokens).old).toBe('previous')
      server.set({ outage: false })
      expect((await settled(clock, MINUTE, retiring)).phase).toBe('retired')
    },
  )

  test('after the overlap resolves at once', async () => {
    const { clock, rotation } = await overlap()
    await clock.advance(HOUR)
    expect((await settled(clock, 0, rotation.retireNow())).phase).toBe('retired')
  })
})

describe('until', () => {
  test.each([['persisted'], ['retired']])('%s rejects when the candidate is given up', async (what) => {
    const { clock, tokens } = await rotationWorld()
    const rotating = rejection(tokens.rotate({ clientSecret: 'wrong' }))
    await clock.advance(0)
    const waiting = rejection(tokens.rotation().until(what))
    await clock.advance(MINUTE)
    expect((await rotating).code).toBe('ERR_CANDIDATE_REJECTED')
    expect((await waiting).code).toBe('ERR_ROTATION_CONFLICT')
  })

  test('persisted resolves at once where nothing is to be written', async () => {
    const { clock, rotation } = await overlap()
    expect(await settled(clock, 0, rotation.until('persisted'))).toMatchObject({
      phase: 'overlap',
      persisted: 'none',
    })
  })

  test('everywhere rejects at once where nothing is shared between processes', async () => {
    const { clock, tokens, rotation } = await overlap()
    const error = await rejection(settled(clock, 0, rotation.until('everywhere')))
    expect(error).toBeInstanceOf(NoFleetError)
    expect(error).toMatchObject({ code: 'ERR_NO_FLEET', retryable: false, rotationId: rotation.rotationId })
    expect(error.message).toContain('Processes share nothing here')
    expect(tokens.status().phase).toBe('overlap')
  })

  test('retired resolves when no previous secret is left', async () => {
    const { clock, rotation } = await overlap()
    const waiting = rotation.until('retired')
    await clock.advance(HOUR - 1)
    expect(await isPending(clock, waiting)).toBe(true)
    const retired = await settled(clock, 1, waiting)
    expect(retired).toMatchObject({ rotationId: rotation.rotationId, phase: 'retired', previous: null })
    expect(await settled(clock, 0, retired.until('retired'))).toEqual(retired)
  })

  test('retired rejects when another secret takes over meanwhile', async () => {
    const { clock, rotation } = await overlap()
    const waiting = rejection(rotation.until('retired'))
    await settled(clock, 0, rotation.rollback())
    expect((await waiting).code).toBe('ERR_ROTATION_CONFLICT')
  })

  test('of a rotation that another one followed tells how it ended', async () => {
    const { clock, tokens, rotation } = await overlap()
    await clock.advance(HOUR)
    await settled(clock, 0, tokens.rotate(OTHER))
    expect(await settled(clock, 0, rotation.until('retired'))).toMatchObject({
      rotationId: rotation.rotationId,
      phase: 'retired',
    })
  })

  test('ends with its signal, and refuses what it does not know', async () => {
    const { rotation } = await overlap()
    const controller = new AbortController()
    const waiting = rejection(rotation.until('retired', { signal: controller.signal }))
    controller.abort('enough')
    expect(await waiting).toBe('enough')
    for (const what of [undefined, 'revoked', 7, ['retired']]) {
      expect((await rejection(rotation.until(what))).code).toBe('ERR_INVALID_ARGUMENT')
    }
  })
})

test.each([['rollback'], ['retireNow']])('%s waits five minutes for a clear answer', async (method) => {
  const { clock, server, tokens, rotation } = await overlap()
  await clock.advance(2 * MINUTE)
  server.set({ outage: 503 })
  const asked = rotation[method]()
  await clock.advance(5 * MINUTE - 1)
  expect(await isPending(clock, asked)).toBe(true)
  const error = await rejection(settled(clock, 1, asked))
  expect(error).toMatchObject({ code: 'ERR_ROTATION_TIMEOUT', rotationId: rotation.rotationId })
  expect(roles(tokens)).toEqual({ old: 'previous', new: 'active' })
})

test('a closed manager refuses everything that a rotation can be asked for', async () => {
  const { tokens, rotation } = await overlap()
  const waiting = rejection(rotation.until('retired'))
  await tokens.close()
  const refused = [rejection(rotation.rollback()), rejection(rotation.retireNow()), waiting]
  for (const error of await Promise.all(refused)) expect(error.code).toBe('ERR_CLOSED')
  expect(tokens.rotation()).toBeUndefined()
})

test.each([['rollback'], ['retireNow']])('%s rejects wrong arguments and never throws', async (method) => {
  const { rotation, tokens } = await overlap()
  for (const wrong of [null, 7, [], { signal: 1 }, { force: 1 }, { other: 1 }]) {
    expect((await rejection(rotation[method](wrong))).code).toBe('ERR_INVALID_ARGUMENT')
  }
  expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
})
