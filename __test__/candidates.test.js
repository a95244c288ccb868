'use strict'

const { closeAll, event, rejection } = require('./support/world')
const { SOURCES, variables } = require('./support/changing')
const {
  HOUR,
  MINUTE,
  NEW,
  OLD,
  OTHER,
  SECOND,
  isPending,
  named,
  roles,
  rotationWorld,
  settled,
} = require('./support/rotations')

afterEach(closeAll)

/** How often sources are read again. */
const POLL = 10_000

/** A world whose only source is a function that yields `source.current`. */
async function changing(options) {
  const source = { current: OLD }
  return { source, ...(await rotationWorld({ credentials: async () => source.current, ...options })) }
}

describe.each(Object.entries(SOURCES))('what %s yields', (_, make) => {
  test('instead of the active secret is proved, promoted and kept', async () => {
    const { credentials, change } = make({ clientId: 'app', clientSecret: 'old' })
    const { clock, server, tokens, changes, presented } = await rotationWorld({ credentials })
    const held = tokens.peek()
    change({ clientId: 'app', clientSecret: 'new' })
    await clock.advance(POLL)
    expect(tokens.peek()).not.toBe(held)
    expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
    expect(changes).toEqual(['started', 'staged', 'promoted'])
    await clock.advance(HOUR + POLL)
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 2 })
    expect(presented().filter((secret) => secret === 'old')).toHaveLength(1)
    expect(server.requests.every(({ status }) => status === 200)).toBe(true)
  })

  test('and is wrong never replaces a secret that works', async () => {
    const { credentials, change } = make({ clientId: 'app', clientSecret: 'old' })
    const { clock, tokens, changes, presented } = await rotationWorld({ credentials })
    const held = tokens.peek()
    change({ clientId: 'app', clientSecret: 'wrong' })
    await clock.advance(POLL + 5000)
    expect(changes).toEqual(['started', 'staged', 'candidate-rejected'])
    await clock.advance(HOUR)
    expect(tokens.peek()).toBe(held)
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1 })
    // Probed again after 30 s and then ever more slowly, to 5 min.
    expect(presented().filter((secret) => secret === 'wrong').length).toBeLessThan(20)
  })
})

test('reload takes a changed source at once', async () => {
  const { clock, source, tokens } = await changing()
  source.current = NEW
  tokens.reload()
  await clock.advance(0)
  expect(roles(tokens)).toEqual({ old: 'previous', new: 'active' })
})

test('another client in the environment takes over in blue/green', async () => {
  const knobs = { clients: { blue: 'b', green: 'g' } }
  const credentials = variables({ clientId: 'blue', clientSecret: 'b' })
  const { clock, tokens } = await rotationWorld({ knobs, credentials })
  Object.assign(process.env, { ROTATED_ID: 'green', ROTATED_SECRET: 'g' })
  await clock.advance(POLL)
  expect(roles(tokens)).toEqual({ blue: 'previous', green: 'active' })
  expect(tokens.status().token.clientId).toBe('green')
})

test('a change that is taken back before it is proved is withdrawn, and who waited is told', async () => {
  const { clock, server, source, tokens, changes } = await changing()
  server.set({ outage: 503 })
  source.current = NEW
  await clock.advance(POLL)
  expect(tokens.status().phase).toBe('staged')
  const joining = tokens.rotate()
  expect(await isPending(clock, joining)).toBe(true)
  const joined = rejection(joining)
  source.current = OLD
  await clock.advance(POLL)
  expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1 })
  expect(changes).toEqual(['started', 'staged', 'awaiting-proof', 'candidate-withdrawn'])
  expect((await joined).code).toBe('ERR_CANDIDATE_UNVERIFIED')
})

test('a change that is taken back after the promotion is a rollback', async () => {
  const { clock, source, tokens, changes } = await changing()
  source.current = NEW
  await clock.advance(POLL)
  source.current = OLD
  await clock.advance(POLL)
  expect(roles(tokens)).toEqual({ old: 'active', new: 'previous' })
  expect(changes).toEqual(['started', 'staged', 'promoted', 'rolled-back'])
})

test('a list that was never cleaned up starts nothing, whatever time passes', async () => {
  const { clock, tokens, changes, presented } = await rotationWorld({ credentials: [OLD, NEW] })
  await clock.advance(48 * HOUR)
  expect(tokens.status().generation).toBe(1)
  expect(roles(tokens)).toEqual({ old: 'active', new: 'standby' })
  expect(changes).toEqual(['started'])
  expect(new Set(presented())).toEqual(new Set(['old']))
})

test('a secret that is configured before the provider accepts it becomes active when it is good', async () => {
  const knobs = { clients: { app: ['old'] } }
  const { clock, server, source, tokens, changes } = await changing({ knobs })
  source.current = NEW
  await clock.advance(POLL + MINUTE)
  expect(roles(tokens)).toEqual({ old: 'active', new: 'quarantined' })
  server.setSecrets('app', ['new'])
  await clock.advance(5 * MINUTE)
  expect(tokens.status()).toMatchObject({ generation: 2, token: { label: 'new' } })
  expect(changes).toEqual(['started', 'staged', 'candidate-rejected', 'staged', 'promoted'])
})

test('another change during the overlap waits for its end', async () => {
  const { clock, source, tokens } = await changing()
  source.current = NEW
  await clock.advance(POLL)
  source.current = OTHER
  await clock.advance(POLL)
  expect(roles(tokens)).toEqual({ old: 'previous', new: 'active', other: 'waiting' })
  await clock.advance(HOUR)
  expect(roles(tokens)).toEqual({ old: 'retired', new: 'previous', other: 'active' })
})

test('a leaked secret that a source brings back is ignored, and that is told', async () => {
  const { clock, source, tokens } = await changing()
  source.current = NEW
  await settled(clock, 0, tokens.rotate({ ...NEW, compromised: true }))
  await clock.advance(POLL)
  const ignored = event(tokens, 'rotation', ({ change }) => change === 'compromised-ignored')
  source.current = OLD
  await clock.advance(HOUR)
  const told = await ignored
  expect(told).toMatchObject({ from: 'stable', to: 'stable', generation: 2 })
  expect(told.message).toMatch(
    /^A source has brought back the credential "old" \(client id app, id [0-9a-f]{16}\), which/,
  )
  expect(roles(tokens)).toEqual({ old: 'retired', new: 'active' })
})

describe('when the active secret dies early', () => {
  test('another known one is tried at once and becomes active: no call fails', async () => {
    const { clock, server, tokens, changes } = await rotationWorld({ credentials: [OLD, NEW] })
    server.setSecrets('app', ['new'])
    expect(tokens.invalidate(tokens.peek())).toBe(true)
    expect(await settled(clock, SECOND, tokens.getToken())).toEqual(expect.any(String))
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 2, token: { label: 'new' } })
    expect(roles(tokens)).toEqual({ old: 'quarantined', new: 'active' })
    expect(changes).toEqual(['started', 'substituted'])
  })

  test('its token serves until then, and a refresh finds the other one in time', async () => {
    const knobs = { lifetimeMs: HOUR }
    const { clock, server, tokens } = await rotationWorld({ knobs, credentials: [OLD, NEW] })
    server.setSecrets('app', ['new'])
    for (let minute = 0; minute < 120; minute++) {
      await clock.advance(MINUTE)
      expect(tokens.peek()).toEqual(expect.any(String))
    }
    expect(tokens.status().token.label).toBe('new')
  })

  test('in the overlap, the previous one serves at once and takes over when that is certain', async () => {
    const { clock, server, tokens, changes } = await rotationWorld()
    await settled(clock, 0, tokens.rotate(NEW))
    server.setSecrets('app', ['old'])
    tokens.invalidate(tokens.peek())
    expect(await settled(clock, SECOND, tokens.getToken())).toEqual(expect.any(String))
    expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2, token: { label: 'old' } })
    await clock.advance(6000)
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 3 })
    expect(roles(tokens)).toEqual({ old: 'active', new: 'quarantined' })
    expect(changes.at(-1)).toBe('fell-back')
    expect(tokens.rotation()).toMatchObject({ phase: 'rolled-back', active: named(OLD) })
  })
})

describe('when every known secret is dead', () => {
  async function degraded() {
    const world = await changing()
    world.server.setSecrets('app', [])
    world.tokens.invalidate(world.tokens.peek())
    await world.clock.advance(SECOND)
    return world
  }

  test('it is told as such, and not hidden', async () => {
    const { tokens, changes } = await degraded()
    expect(tokens.status()).toMatchObject({ phase: 'degraded', token: null })
    expect(tokens.health()).toMatchObject({ ready: false, degraded: true })
    expect(await rejection(tokens.getToken())).toMatchObject({
      code: 'ERR_TOKEN_UNAVAILABLE',
      cause: { code: 'ERR_DEGRADED' },
      retryable: true,
    })
    expect(changes).toEqual(['started', 'degraded'])
  })

  test('a held token serves to its end', async () => {
    const { clock, server, tokens } = await rotationWorld({ knobs: { lifetimeMs: HOUR } })
    server.setSecrets('app', [])
    await clock.advance(HOUR / 2)
    expect(tokens.peek()).toEqual(expect.any(String))
    await clock.advance(20 * MINUTE)
    expect(tokens.status().phase).toBe('degraded')
    expect(tokens.peek()).toEqual(expect.any(String))
  })

  test('it heals by itself when one is accepted again', async () => {
    const { clock, server, tokens, changes } = await degraded()
    server.setSecrets('app', ['old'])
    await clock.advance(5 * MINUTE)
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1, token: { label: 'old' } })
    expect(tokens.health()).toMatchObject({ ready: true, degraded: false })
    expect(changes).toEqual(['started', 'degraded', 'recovered'])
  })

  test('a new one from a source is used at once', async () => {
    const { clock, server, source, tokens } = await degraded()
    server.setSecrets('app', ['new'])
    source.current = NEW
    await clock.advance(POLL)
    expect(tokens.status()).toMatchObject({ generation: 2, token: { label: 'new' } })
  })

  test('a new one that somebody names is used at once', async () => {
    const { clock, server, tokens } = await degraded()
    const waiting = tokens.getToken()
    waiting.catch(() => {})
    server.setSecrets('app', ['new'])
    expect((await settled(clock, 0, tokens.rotate(NEW))).active).toEqual(named(NEW))
    expect(tokens.peek()).toEqual(expect.any(String))
  })
})

describe('a secret that is going to end', () => {
  const DAY = 24 * HOUR

  test('is told 30, 7 and 1 days before, and when it has', async () => {
    const expiresAt = new Date(Date.UTC(2026, 0, 1) + 40 * DAY)
    const credentials = { ...OLD, expiresAt }
    const { clock, tokens } = await rotationWorld({ credentials, timeZone: 'America/Sao_Paulo' })
    const told = []
    tokens.on('credential-expiring', (payload) => told.push(payload))
    expect(tokens.status().credentials[0].expiresAt).toEqual(expiresAt)
    await clock.advance(41 * DAY)
    expect(told.map(({ daysLeft }) => daysLeft)).toEqual([30, 7, 1, 0])
    for (const { at, daysLeft } of told) {
      const late = at - (expiresAt - daysLeft * DAY)
      expect(late).toBeGreaterThanOrEqual(0)
      expect(late).toBeLessThan(MINUTE)
    }
    expect(told[0]).toMatchObject({ ...named(OLD), expiresAt })
    expect(told[0].expiresAtLocal).toMatch(/-03:00\[America\/Sao_Paulo\]$/)
  })

  test('is told whether a function or a caller says so', async () => {
    const expiresAt = '2026-01-05T00:00:00Z'
    const credentials = async () => ({ ...OLD, expiresAt })
    const { clock, tokens } = await rotationWorld({ credentials, sourcePollMs: HOUR })
    const told = []
    tokens.on('credential-expiring', ({ label, daysLeft }) => told.push(`${label} ${daysLeft}`))
    await clock.advance(3 * DAY)
    expect(told).toContain('old 1')
    await settled(clock, 0, tokens.rotate({ ...NEW, expiresAt: '2026-01-12' }))
    await clock.advance(9 * DAY)
    expect(told.filter((one) => one.startsWith('new')).slice(-3)).toEqual(['new 7', 'new 1', 'new 0'])
  })
})
