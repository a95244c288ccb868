'use strict'

const { closeAll, event, rejection, virtualWorld } = require('./support/world')
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

test('a good secret is active with its own token in one step, and the old one retires after the overlap', async () => {
  const { clock, tokens, changes, presented } = await rotationWorld()
  const { expiresAt } = tokens.status().token
  const first = tokens.peek()
  const rotation = await settled(clock, 0, tokens.rotate(NEW))
  expect(rotation).toMatchObject({
    phase: 'overlap',
    generation: 2,
    candidate: named(NEW),
    active: named(NEW),
    previous: named(OLD),
    persisted: 'none',
    retireNotBefore: new Date(clock.now() + HOUR),
    safeToRevokeAt: expiresAt,
    reason: null,
  })
  expect(rotation.rotationId).toBe(`r-${rotation.candidate.credentialId}`)
  expect(tokens.peek()).not.toBe(first)
  expect(await tokens.getToken()).toBe(tokens.peek())
  expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2, token: { label: 'new' } })
  expect(roles(tokens)).toEqual({ old: 'previous', new: 'active' })
  expect(presented()).toEqual(['old', 'new'])

  await clock.advance(HOUR - 1)
  expect(tokens.status().phase).toBe('overlap')
  await clock.advance(1)
  const { safeToRevokeAt } = rotation
  expect(tokens.rotation()).toMatchObject({ phase: 'retired', generation: 2, previous: null, safeToRevokeAt })
  expect(tokens.status()).toMatchObject({ phase: 'stable', rotation: { phase: 'retired' } })
  expect(roles(tokens)).toEqual({ old: 'retired', new: 'active' })
  // The active one was proved once more before the other was given up.
  expect(presented()).toEqual(['old', 'new', 'new'])
  expect(changes.filter((change) => change !== 'not-persisted')).toEqual([
    'started',
    'staged',
    'promoted',
    'retired',
  ])
})

test('what is told of a rotation has instants with local texts, and no secret', async () => {
  const { clock, tokens } = await rotationWorld({ timeZone: 'America/Sao_Paulo' })
  const promoted = event(tokens, 'rotation', ({ change }) => change === 'promoted')
  const rotation = await settled(clock, 0, tokens.rotate({ ...NEW, rotationId: 'CHG-1' }))
  expect(await promoted).toMatchObject({
    from: 'staged',
    to: 'overlap',
    rotationId: 'CHG-1',
    generation: 2,
    active: named(NEW),
    previous: named(OLD),
    retireNotBefore: rotation.retireNotBefore,
    retireNotBeforeLocal: rotation.retireNotBeforeLocal,
    safeToRevokeAt: rotation.safeToRevokeAt,
  })
  expect(rotation.safeToRevokeAtLocal).toMatch(/-03:00\[America\/Sao_Paulo\]$/)
  expect(JSON.parse(JSON.stringify(rotation))).toEqual(JSON.parse(JSON.stringify(tokens.status().rotation)))
})

test('overlapMs says how long the old secret stays a fallback', async () => {
  const { clock, tokens } = await rotationWorld({ overlapMs: 2 * MINUTE })
  const { retireNotBefore } = await settled(clock, 0, tokens.rotate(NEW))
  expect(retireNotBefore).toEqual(new Date(clock.now() + 2 * MINUTE))
  await clock.advance(2 * MINUTE)
  expect(roles(tokens)).toEqual({ old: 'retired', new: 'active' })
})

test('where the provider kills the old secret at once, no call fails', async () => {
  const { clock, server, tokens } = await rotationWorld()
  const clientSecret = server.regenerateSecret('app')
  const held = tokens.peek()
  expect(await tokens.getToken()).toBe(held)
  await settled(clock, 0, tokens.rotate({ clientSecret }))
  expect(tokens.peek()).not.toBe(held)
  await clock.advance(3 * 24 * HOUR)
  expect(tokens.peek()).toEqual(expect.any(String))
  expect(server.requests.every(({ status }) => status === 200)).toBe(true)
})

test('a secret that the provider knows only after a while is tried until it does', async () => {
  const knobs = { oldSecretGraceMs: HOUR, newSecretPropagationMs: 8000 }
  const { clock, server, tokens, presented } = await rotationWorld({
    knobs,
    provider: { propagationMs: 10_000 },
  })
  const clientSecret = server.regenerateSecret('app')
  const rotation = await settled(clock, 20_000, tokens.rotate({ clientSecret }))
  expect(rotation.phase).toBe('overlap')
  expect(presented().filter((secret) => secret === clientSecret).length).toBeGreaterThan(3)
})

test('another client takes over in blue/green, under the same name', async () => {
  const knobs = { clients: { blue: 'b', green: 'g' } }
  const credentials = { clientId: 'blue', clientSecret: 'b' }
  const { clock, tokens } = await rotationWorld({ knobs, credentials, name: 'blue-green' })
  const rotation = await settled(clock, 0, tokens.rotate({ clientId: 'green', clientSecret: 'g' }))
  expect([rotation.active.clientId, rotation.previous.clientId]).toEqual(['green', 'blue'])
  expect(tokens.status()).toMatchObject({ name: 'blue-green', token: { clientId: 'green' } })
})

test('before the first token the named secret is tried first, and starts no overlap', async () => {
  const { clock, server, open } = await virtualWorld({ clients: { app: ['old', 'new'] } })
  const tokens = open({ credentials: () => new Promise(() => {}) })
  const rotation = await settled(clock, 10_000, tokens.rotate(NEW))
  expect(rotation).toMatchObject({ phase: 'retired', generation: 1, active: named(NEW), previous: null })
  expect(server.requests.map(({ presented }) => presented)).toEqual(['new'])
  expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1, token: { label: 'new' } })
})

test('naming the active credential resolves at once', async () => {
  const { clock, tokens, presented } = await rotationWorld()
  const rotation = await settled(clock, 0, tokens.rotate({ clientSecret: 'old' }))
  expect(rotation).toMatchObject({ phase: 'retired', active: named(OLD), generation: 1 })
  expect((await settled(clock, 0, rotation.until('retired'))).active).toEqual(named(OLD))
  expect(tokens.rotation()).toBeUndefined()
  expect(presented()).toEqual(['old'])
})

test.each([
  ['id', { clientSecret: 'new', rotationId: 'CHG-1' }],
  ['secret', { clientSecret: 'new' }],
])('the same %s twice is one rotation, while it is open and after it', async (_, options) => {
  const { clock, tokens, changes, presented } = await rotationWorld()
  const [one, two] = await settled(clock, 0, Promise.all([tokens.rotate(options), tokens.rotate(options)]))
  const three = await settled(clock, 0, tokens.rotate(options))
  await clock.advance(HOUR)
  const four = await settled(clock, 0, tokens.rotate(options))
  for (const again of [two, three, four]) {
    expect(again).toMatchObject({ rotationId: one.rotationId, generation: 2, active: one.active })
  }
  expect(changes.filter((change) => change === 'staged')).toHaveLength(1)
  expect(presented().filter((secret) => secret === 'new')).toHaveLength(2)
})

test('without an argument it takes the first configured credential that is not in use', async () => {
  const { clock, tokens } = await rotationWorld({ credentials: [OLD, NEW, OTHER] })
  expect((await settled(clock, 0, tokens.rotate())).active).toEqual(named(NEW))
  await clock.advance(HOUR)
  expect(roles(tokens)).toEqual({ old: 'retired', new: 'active', other: 'standby' })
  expect((await settled(clock, 0, tokens.rotate())).active).toEqual(named(OTHER))
})

test('without an argument and a candidate it says what it looked at', async () => {
  const { clock, tokens, changes } = await rotationWorld()
  const error = await rejection(settled(clock, 0, tokens.rotate()))
  const { id } = tokens.status().credentials[0]
  expect(error).toMatchObject({ code: 'ERR_NO_CANDIDATE', lookedAt: [id] })
  expect(error.stack).toContain(__filename)
  expect(changes).toEqual(['started'])
})

test('without an argument, while one is open, it joins that one', async () => {
  const { clock, server, tokens } = await rotationWorld()
  server.set({ outage: 503 })
  const [first, joined] = [tokens.rotate({ ...NEW, rotationId: 'CHG-1' }), tokens.rotate()]
  expect(await isPending(clock, joined)).toBe(true)
  server.set({ outage: false })
  await clock.advance(MINUTE)
  expect((await joined).rotationId).toBe('CHG-1')
  expect((await first).generation).toBe(2)
})

describe('with another secret', () => {
  test('while one is being proved it is a conflict', async () => {
    const { clock, server, tokens } = await rotationWorld()
    server.set({ outage: 503 })
    const first = tokens.rotate({ ...NEW, rotationId: 'CHG-1' })
    await clock.advance(0)
    const error = await rejection(settled(clock, 0, tokens.rotate(OTHER)))
    expect(error).toMatchObject({ code: 'ERR_ROTATION_CONFLICT', rotationId: 'CHG-1', retryable: false })
    server.set({ outage: false })
    await clock.advance(MINUTE)
    expect((await first).active).toEqual(named(NEW))
  })

  test('in the overlap it is a conflict, and changes nothing', async () => {
    const { clock, tokens } = await rotationWorld()
    const { rotationId } = await settled(clock, 0, tokens.rotate(NEW))
    const error = await rejection(settled(clock, 0, tokens.rotate(OTHER)))
    expect(error).toMatchObject({ code: 'ERR_ROTATION_CONFLICT', rotationId })
    expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
  })

  test('supersede takes the place of one that is being proved, whose caller is told', async () => {
    const { clock, server, tokens } = await rotationWorld()
    server.set({ outage: 503 })
    const first = tokens.rotate(NEW)
    first.catch(() => {})
    await clock.advance(0)
    server.set({ outage: false })
    const second = await settled(clock, 0, tokens.rotate({ ...OTHER, supersede: true }))
    expect(second).toMatchObject({ active: named(OTHER), previous: named(OLD) })
    expect((await rejection(first)).code).toBe('ERR_ROTATION_CONFLICT')
  })

  test('supersede in the overlap retires the oldest one with its promotion', async () => {
    const { clock, tokens } = await rotationWorld()
    await settled(clock, 0, tokens.rotate(NEW))
    await settled(clock, 0, tokens.rotate({ ...OTHER, supersede: true }))
    expect(roles(tokens)).toEqual({ old: 'retired', new: 'previous', other: 'active' })
    expect(tokens.status().generation).toBe(3)
  })
})

test('a secret that has leaked is retired with the promotion, and only naming it brings it back', async () => {
  const { clock, tokens } = await rotationWorld()
  const leaked = tokens.peek()
  const rotation = await settled(clock, 0, tokens.rotate({ ...NEW, compromised: true }))
  expect(rotation).toMatchObject({ phase: 'retired', generation: 2, active: named(NEW), previous: null })
  expect(tokens.peek()).not.toBe(leaked)
  expect(roles(tokens)).toEqual({ old: 'retired', new: 'active' })
  await settled(clock, 0, tokens.rotate({ clientSecret: 'old' }))
  expect(roles(tokens)).toEqual({ old: 'active', new: 'previous' })
})

test('fifty rotations in a row through three secrets each end with a token of the right one', async () => {
  const { clock, tokens, presented } = await rotationWorld()
  const order = Array.from({ length: 50 }, (_, index) => [NEW, OTHER, OLD][index % 3])
  for (const candidate of order) {
    const rotation = await settled(clock, 1, tokens.rotate({ ...candidate, supersede: true }))
    expect(rotation).toMatchObject({ phase: 'overlap', active: named(candidate) })
    expect(tokens.status().token.label).toBe(candidate.label)
  }
  expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 51 })
  expect(presented()).toEqual(['old', ...order.map(({ clientSecret }) => clientSecret)])
  expect(roles(tokens)).toEqual({ old: 'retired', new: 'previous', other: 'active' })
})
