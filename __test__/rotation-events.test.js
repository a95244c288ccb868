'use strict'

const fs = require('node:fs')

const { fromFile } = require('..')
const { closeAll, rejection, virtualWorld } = require('./support/world')
const { temporaryFile } = require('./support/changing')
const {
  HOUR,
  MINUTE,
  NEW,
  OLD,
  OTHER,
  SECOND,
  named,
  roles,
  rotationWorld,
  settled,
} = require('./support/rotations')

const SENTENCES = /^[A-Z][ -~]{30,}\.$/
const NAMED = /credential (?:"\w+" )?\(client id app, id [0-9a-f]{16}\)/
/** What was told in this test. */
const all = []

afterEach(closeAll)

// Whatever a test is about: each event says in sentences what happened, and to whom.
afterEach(() => {
  for (const { change, message } of all.splice(0)) {
    expect([change, message]).toEqual([change, expect.stringMatching(SENTENCES)])
    expect([change, message]).toEqual([
      change,
      change === 'degraded' ? message : expect.stringMatching(NAMED),
    ])
    expect(message).not.toContain('hunter2')
  }
})

const WRONG = { label: 'wrong', clientId: 'app', clientSecret: 'hunter2' }
const POLL = 10 * SECOND

function listen(tokens, events) {
  tokens.on('rotation', (event) => {
    all.push(event)
    events.push(event)
  })
}

/** A rotation's world whose events are taken down. */
async function told(options) {
  const world = await rotationWorld(options)
  const events = []
  listen(world.tokens, events)
  return {
    ...world,
    events,
    /** The events of this change. */
    of: (change) => events.filter((event) => event.change === change),
  }
}

test('every change is told in sentences that name the credential', async () => {
  const { clock, server, tokens, events } = await told({ timeZone: 'America/Sao_Paulo' })
  await settled(clock, 0, tokens.prepareRotation())
  await clock.advance(HOUR)
  await settled(clock, MINUTE, rejection(tokens.rotate(WRONG)))
  await settled(clock, 0, tokens.rotate(NEW))
  await settled(clock, 0, tokens.rotation().rollback())
  await clock.advance(2 * HOUR)
  server.setSecrets('app', [])
  tokens.invalidate(tokens.peek())
  await clock.advance(MINUTE)
  server.setSecrets('app', ['old'])
  await clock.advance(MINUTE)
  const changes = new Set(events.map(({ change }) => change))
  expect([...changes]).toEqual([
    'prepared',
    'preparation-ended',
    'staged',
    'candidate-rejected',
    'promoted',
    'not-persisted',
    'rolled-back',
    'retired',
    'degraded',
    'recovered',
  ])
  const [{ message, safeToRevokeAtLocal, retireNotBeforeLocal }] = events.filter(
    (one) => one.change === 'promoted',
  )
  expect(message).toContain(`until ${retireNotBeforeLocal}: do not revoke it at the provider before`)
  expect(message).toContain(safeToRevokeAtLocal)
  expect(safeToRevokeAtLocal).toMatch(/-03:00\[America\/Sao_Paulo\]$/)
  expect(JSON.stringify(events)).not.toContain('hunter2')
})

test('what is active is named when it starts, and whatever takes over from it', async () => {
  const { clock, server, open } = await virtualWorld()
  server.setSecrets('app', ['old', 'new'])
  const tokens = open({ credentials: [OLD, NEW] })
  const events = []
  listen(tokens, events)
  await settled(clock, 0, tokens.ready())
  server.setSecrets('app', ['new', 'other'])
  tokens.invalidate(tokens.peek())
  await clock.advance(MINUTE)
  await settled(clock, 0, tokens.rotate(OTHER))
  server.setSecrets('app', ['new'])
  tokens.invalidate(tokens.peek())
  await clock.advance(MINUTE)
  const named = events.map(({ change, message }) => [change, /credential "(\w+)"/.exec(message)[1]])
  expect(named).toEqual([
    ['started', 'old'],
    ['substituted', 'new'],
    ['staged', 'other'],
    ['promoted', 'other'],
    ['not-persisted', 'other'],
    ['fell-back', 'new'],
  ])
})

test('what is in the way of a persist is told with its reason', async () => {
  const persist = () => Promise.reject(Object.assign(new Error('hunter2'), { code: 'ECONNREFUSED' }))
  const { clock, server, tokens, of } = await told({ credentials: { ...OLD, persist } })
  const first = rejection(tokens.rotate({ ...NEW, deadlineMs: 2 * MINUTE }))
  await clock.advance(20 * MINUTE)
  await first
  expect(of('candidate-withdrawn')).toMatchObject([{ next: named(NEW), reason: 'no-custody' }])
  server.setSecrets('app', ['other'])
  await settled(clock, MINUTE, tokens.rotate(OTHER))
  await clock.advance(2 * HOUR)
  const reason =
    'persist of credentials[0] ("old") failed: Error (ECONNREFUSED). It is tried again every 10 s.'
  for (const change of ['awaiting-custody', 'not-persisted', 'overdue']) {
    expect(of(change).at(-1).message).toContain(reason)
  }
})

test('a candidate that ends is named, with its answer, though the next one is staged in the same moment', async () => {
  const file = temporaryFile('old')
  const { clock, tokens, of } = await told({ credentials: { ...OLD, clientSecret: fromFile(file) } })
  const rejected = rejection(tokens.rotate(WRONG))
  await clock.advance(SECOND)
  fs.writeFileSync(file, 'other')
  tokens.reload()
  await clock.advance(MINUTE)
  const { rotationId } = await rejected
  expect(of('candidate-rejected')).toMatchObject([
    {
      next: named(WRONG),
      rotationId,
      reason: 'rejected',
      error: { code: 'ERR_CREDENTIAL_REJECTED' },
      message: expect.stringMatching(/"wrong" .* was not accepted and is given up.*Check the new secret/),
    },
  ])
  const [, staged] = of('staged')
  expect(staged.next).toMatchObject({ clientId: 'app' })
  expect(staged.rotationId).not.toBe(rotationId)
  expect(of('promoted')).toMatchObject([{ rotationId: staged.rotationId }])
})

test('one that another took the place of ends as superseded', async () => {
  const { clock, server, tokens, of, events } = await told()
  server.set({ outage: 503 })
  const first = rejection(tokens.rotate(NEW))
  await clock.advance(0)
  server.set({ outage: false })
  const second = await settled(clock, 0, tokens.rotate({ ...OTHER, supersede: true }))
  expect(await first).toMatchObject({ code: 'ERR_ROTATION_CONFLICT', rotationId: second.rotationId })
  const [{ rotationId }] = of('staged')
  expect(of('candidate-withdrawn')).toMatchObject([
    { next: named(NEW), rotationId, reason: 'superseded', message: expect.stringMatching(/taken the place/) },
  ])
  const changes = events.map(({ change }) => change).filter((change) => change !== 'awaiting-proof')
  expect(changes.slice(0, 3)).toEqual(['staged', 'candidate-withdrawn', 'staged'])
  expect(of('promoted')).toMatchObject([{ rotationId: second.rotationId }])
})

test('one that nothing proves ends with the reason, and with what the endpoint said', async () => {
  const { clock, server, tokens, of } = await told()
  server.set({ outage: 503 })
  const rejected = rejection(tokens.rotate({ ...NEW, deadlineMs: HOUR }))
  await clock.advance(11 * MINUTE)
  const { rotationId } = await rejected
  expect(of('awaiting-proof')).toHaveLength(1)
  expect(of('candidate-withdrawn')).toMatchObject([
    { next: named(NEW), rotationId, reason: 'deadline', error: { code: 'ERR_ENDPOINT' } },
  ])
})

test('one that nobody waits for any more ends as left by its caller', async () => {
  const { clock, server, tokens, of } = await told()
  server.set({ outage: 503 })
  const controller = new AbortController()
  const rejected = rejection(tokens.rotate({ ...NEW, signal: controller.signal }))
  await clock.advance(0)
  controller.abort()
  await rejected
  await clock.advance(SECOND)
  expect(of('candidate-withdrawn')).toMatchObject([{ next: named(NEW), reason: 'caller-left' }])
})

test('one whose source takes it back ends as withdrawn', async () => {
  const file = temporaryFile('old')
  const { clock, server, of } = await told({ credentials: { ...OLD, clientSecret: fromFile(file) } })
  server.set({ outage: 503 })
  fs.writeFileSync(file, 'new')
  await clock.advance(POLL)
  fs.writeFileSync(file, 'old')
  await clock.advance(POLL)
  expect(of('candidate-withdrawn')).toMatchObject([{ reason: 'withdrawn' }])
})

describe('a rotation that takes the place of an overlap', () => {
  test('retires what was previous only when it is proved', async () => {
    const { clock, server, tokens } = await told()
    await settled(clock, 0, tokens.rotate(NEW))
    server.set({ outage: 503 })
    const rotation = tokens.rotate({ ...OTHER, supersede: true })
    await clock.advance(0)
    expect(tokens.status()).toMatchObject({ phase: 'staged', generation: 2 })
    expect(roles(tokens)).toMatchObject({ old: 'previous', new: 'active', other: 'next' })
    server.set({ outage: false })
    await settled(clock, MINUTE, rotation)
    expect(roles(tokens)).toEqual({ old: 'retired', new: 'previous', other: 'active' })
  })

  test('leaves that overlap as it was when its candidate is wrong, and its rollback works', async () => {
    const { clock, tokens, of } = await told()
    const first = await settled(clock, 0, tokens.rotate(NEW))
    const second = rejection(tokens.rotate({ ...WRONG, supersede: true }))
    await clock.advance(0)
    expect(await settled(clock, 0, rejection(first.rollback()))).toMatchObject({
      code: 'ERR_ROTATION_CONFLICT',
    })
    await clock.advance(MINUTE)
    expect(await second).toMatchObject({ code: 'ERR_CANDIDATE_REJECTED' })
    expect(of('candidate-rejected')).toMatchObject([{ from: 'staged', to: 'overlap', next: named(WRONG) }])
    expect(tokens.status()).toMatchObject({ phase: 'overlap', rotation: { rotationId: first.rotationId } })
    expect(await settled(clock, 0, first.rollback())).toMatchObject({ active: named(OLD) })
  })

  test('falls back to what was previous when both newer ones are dead', async () => {
    const { clock, server, tokens } = await told()
    await settled(clock, 0, tokens.rotate(NEW))
    const second = tokens.rotate({ ...WRONG, supersede: true })
    second.catch(() => {})
    server.setSecrets('app', ['old'])
    tokens.invalidate(tokens.peek())
    expect(await settled(clock, SECOND, tokens.getToken())).toEqual(expect.any(String))
    await clock.advance(MINUTE)
    expect(tokens.status().token.label).toBe('old')
    expect(tokens.health().ready).toBe(true)
  })

  test('is refused at once where the overlap cannot end soon', async () => {
    const persist = () => Promise.reject(Object.assign(new Error(), { code: 'ECONNREFUSED' }))
    const { clock, server, tokens } = await told({ credentials: { ...OLD, persist } })
    const first = tokens.rotate(NEW)
    server.setSecrets('app', ['new', 'other'])
    await clock.advance(2 * MINUTE)
    await first
    const error = await settled(clock, 0, rejection(tokens.rotate({ ...OTHER, supersede: true })))
    expect(error).toMatchObject({ code: 'ERR_RETIRE_BLOCKED', missing: { sinks: [0] } })
    expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
  })
})
