'use strict'

const diagnosticsChannel = require('node:diagnostics_channel')
const { once } = require('node:events')
const path = require('node:path')
const { inspect } = require('node:util')
const { Worker } = require('node:worker_threads')

const { until } = require('./support/process')
const { closeAll, event, manager, server, virtualWorld } = require('./support/world')

afterEach(closeAll)

const ID = /^[0-9a-f]{16}$/
const idOf = (tokens) => tokens.status().token.credentialId
const DAY = 86_400_000

test('none is derived for tokens, refreshes, an invalidation, health or metrics', async () => {
  const { clock, open } = await virtualWorld({ lifetimeMs: 3_600_000 })
  const tokens = open()
  await clock.advance(DAY)
  expect(tokens.invalidate(await tokens.getToken())).toBe(true)
  await clock.advance(DAY)
  tokens.reload()
  await clock.advance(0)
  expect(tokens.health().problems).toEqual([])
  expect(tokens.metrics().refreshes.success).toBeGreaterThan(48)
  expect(inspect(tokens)).toContain('ready: true')
  expect(idOf(tokens)).toBeNull()
  await clock.advance(0)
  expect(idOf(tokens)).toMatch(ID)
})

test('status tells everything but the ids at once, and them a little later', async () => {
  const tokens = manager(await server())
  await tokens.ready()
  const { phase, generation, token, credentials } = tokens.status()
  expect({ phase, generation, token, credentials }).toMatchObject({
    phase: 'stable',
    generation: 1,
    token: { credentialId: null, clientId: 'app' },
    credentials: [{ id: null, role: 'active', state: 'accepted' }],
  })
  await until(() => idOf(tokens) !== null)
  const later = tokens.status()
  expect(later).toMatchObject({
    phase: 'stable',
    generation: 1,
    token: { credentialId: expect.stringMatching(ID) },
  })
  expect(later.credentials).toEqual([{ ...credentials[0], id: later.token.credentialId }])
})

test('status foretells the roles of several credentials', async () => {
  const credentials = ['one', 'two'].map((label) => ({ label, clientId: 'app', clientSecret: 'secret' }))
  credentials[1].clientSecret = 'another'
  const tokens = manager(await server(), { credentials })
  await tokens.ready()
  const roles = () => tokens.status().credentials.map(({ label, role }) => [label, role])
  const foretold = roles()
  expect(foretold).toEqual([
    ['one', 'active'],
    ['two', 'standby'],
  ])
  await until(() => idOf(tokens) !== null)
  expect(roles()).toEqual(foretold)
})

test('who listens before the first token hears of it with its id, and who comes later of the next one', async () => {
  const provider = await server()
  const early = manager(provider)
  expect((await event(early, 'token')).credentialId).toMatch(ID)

  const late = manager(provider)
  const token = await late.getToken()
  const heard = event(late, 'token')
  expect(late.invalidate(token)).toBe(true)
  expect((await heard).credentialId).toMatch(ID)
})

test.each(['before', 'after'])(
  'a subscriber of a channel that comes %s the manager hears its first token',
  async (when) => {
    const told = []
    const subscriber = (message) => told.push(message)
    const provider = await server()
    if (when === 'before') diagnosticsChannel.subscribe('oauth-rotor:token', subscriber)
    const tokens = manager(provider)
    if (when === 'after') diagnosticsChannel.subscribe('oauth-rotor:token', subscriber)
    await tokens.ready()
    await until(() => told.length > 0)
    diagnosticsChannel.unsubscribe('oauth-rotor:token', subscriber)
    expect(told).toEqual([expect.objectContaining({ serial: 1, credentialId: expect.stringMatching(ID) })])
  },
)

test('on a clock of a test’s, an event has been heard when the clock stands still again', async () => {
  const { clock, open } = await virtualWorld({ lifetimeMs: 3_600_000 })
  const tokens = open()
  await clock.advance(0)
  const serials = []
  const subscriber = ({ serial }) => serials.push(serial)
  diagnosticsChannel.subscribe('oauth-rotor:token', subscriber)
  await clock.advance(DAY)
  diagnosticsChannel.unsubscribe('oauth-rotor:token', subscriber)
  expect(serials[0]).toBe(2)
  expect(serials.at(-1)).toBe(tokens.status().token.serial)
})

test('a blocked environment keeps no event from another one', async () => {
  const { tokenUrl } = await server()
  const file = path.join(__dirname, 'support', 'children', 'deaf-worker.js')
  const worker = new Worker(file, { workerData: { tokenUrl } })
  try {
    await once(worker, 'message')
    const tokens = manager({ tokenUrl }, { name: 'deaf' })
    const heard = event(tokens, 'token')
    expect(tokens.invalidate(await tokens.getToken())).toBe(true)
    expect((await heard).credentialId).toMatch(ID)
  } finally {
    await worker.terminate()
  }
})
