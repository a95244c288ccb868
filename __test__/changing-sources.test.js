'use strict'

const { fromEnv } = require('..')
const { SOURCES } = require('./support/changing')
const { closeAll, event, manager, rejection, server, virtualWorld } = require('./support/world')

const environment = process.env
const variables = fromEnv('CHANGING_ID', 'CHANGING_SECRET')
const silent = () => new Promise(() => {})
const clientIds = (tokens) => tokens.status().credentials.map(({ clientId }) => clientId)

beforeEach(() => Object.assign(process.env, { CHANGING_ID: 'one', CHANGING_SECRET: 'secret' }))

afterEach(async () => {
  process.env = environment
  delete process.env.CHANGING_ID
  delete process.env.CHANGING_SECRET
  await closeAll()
})

const clients = { one: ['secret'], two: ['secret'], three: ['secret'] }

/** A manager that reads its sources often, on a server that knows three clients. */
async function reading(credentials, options) {
  const provider = await server({ clients })
  return manager(provider, { credentials, sourcePollMs: 20, ...options })
}

test('a variable that changes is used from then on, and what it held before stays a fallback', async () => {
  const tokens = await reading(variables)
  await tokens.ready()
  const [changed, token] = [
    event(tokens, 'source'),
    event(tokens, 'token', ({ clientId }) => clientId === 'two'),
  ]
  process.env.CHANGING_ID = 'two'
  expect(await changed).toMatchObject({ entry: 0, change: 'changed' })
  await token
  expect(clientIds(tokens)).toEqual(['two', 'one'])
})

test('a variable that is deleted is told, and its last value stays in use', async () => {
  const tokens = await reading(variables)
  const token = await tokens.getToken()
  const told = event(tokens, 'source')
  delete process.env.CHANGING_SECRET
  expect(await told).toMatchObject({ entry: 0, change: 'emptied' })
  expect(clientIds(tokens)).toEqual(['one'])
  expect(tokens.peek()).toBe(token)
})

test('an environment that is replaced as a whole is read, whatever its values are', async () => {
  const tokens = await reading(variables)
  await tokens.ready()
  let told = event(tokens, 'source')
  const proved = event(tokens, 'token', ({ clientId }) => clientId === 'two')
  process.env = { CHANGING_ID: 'two', CHANGING_SECRET: 'secret' }
  expect((await told).change).toBe('changed')
  // Only what was proved before it is replaced stays known.
  await proved
  told = event(tokens, 'source')
  process.env = { CHANGING_ID: 7, CHANGING_SECRET: null }
  expect((await told).change).toBe('emptied')
  told = event(tokens, 'source')
  process.env = { CHANGING_ID: 7, CHANGING_SECRET: 8 }
  expect((await told).change).toBe('changed')
  expect(clientIds(tokens)).toEqual(expect.arrayContaining(['7', 'two', 'one']))
})

test('a function that never answers holds up no other source', async () => {
  let clientId = 'two'
  const answering = jest.fn(() => ({ clientId, clientSecret: 'secret' }))
  const hanging = jest.fn(silent)
  // The time stands still until whoever answers has answered.
  const { clock, open } = await virtualWorld({ clients })
  const credentials = [hanging, answering, variables]
  const tokens = open({ credentials, acquireTimeoutMs: 100, sourcePollMs: 100 })
  const first = event(tokens, 'token')
  await clock.advance(50)
  expect((await first).clientId).toBe('two')
  expect(clientIds(tokens)).toEqual(['two', 'one'])
  expect(tokens.health()).toMatchObject({ ready: true, degraded: true })

  const changes = Promise.all(
    [1, 2].map((entry) => event(tokens, 'source', (source) => source.entry === entry)),
  )
  process.env.CHANGING_ID = 'three'
  clientId = 'one'
  await clock.advance(100)
  expect((await changes).map(({ change }) => change)).toEqual(['changed', 'changed'])
  expect(hanging).toHaveBeenCalledTimes(1)
})

test('a slow function is used when it answers, after the reading that it was asked in', async () => {
  let answer
  const slow = () => new Promise((resolve) => (answer = resolve))
  const tokens = await reading([slow, variables], { acquireTimeoutMs: 50, sourcePollMs: 60_000 })
  expect((await event(tokens, 'token')).clientId).toBe('one')
  const told = event(tokens, 'source')
  answer({ clientId: 'two', clientSecret: 'secret' })
  expect(await told).toMatchObject({ entry: 0, change: 'changed' })
  expect(clientIds(tokens)).toEqual(expect.arrayContaining(['two', 'one']))
  expect((await event(tokens, 'token')).clientId).toBe('two')
})

test('a function that waits for a token of its own manager is refused one, and not stuck', async () => {
  let inner
  const tokens = await reading(
    async () => {
      inner ??= await rejection(tokens.getToken())
      return { clientId: 'one', clientSecret: 'secret' }
    },
    { acquireTimeoutMs: 50 },
  )
  expect((await event(tokens, 'token')).clientId).toBe('one')
  expect(inner.code).toBe('ERR_TOKEN_UNAVAILABLE')
  expect(inner.message).toContain('credentials[0] has not been read yet')
})

test.each([
  [
    'throws at once',
    () => {
      throw new Error('hunter2')
    },
    /failed with Error, whose message/,
  ],
  ['throws nothing', () => Promise.reject(), /failed with an error/],
  ['yields a number', () => 7, /has to yield \{ clientId, clientSecret \}.* yields a number/],
  ['yields another object', () => ({ id: 'hunter2' }), /yields an object without these texts/],
  ['yields a text', () => 'hunter2', /yields a text where a credential is needed/],
  ['yields nothing', () => null, /yields nothing \(is it empty or not set\?\)/],
])('a function that %s is told by its place in the list', async (_, callback, message) => {
  const tokens = await reading([{ label: 'fine', clientId: 'one', clientSecret: 'secret' }, callback])
  const error = await rejection(tokens.ready())
  expect(error.code).toBe('ERR_CREDENTIAL_UNAVAILABLE')
  expect(error.message).toMatch(/^The source of credentials\[1\] /)
  expect(error.message).toMatch(message)
  expect(error.message).not.toContain('hunter2')
  expect(await tokens.getToken()).toEqual(expect.any(String))
})

describe('without a token a source that is mended is noticed', () => {
  const kinds = Object.entries(SOURCES).map(([kind, make]) => [kind, make, kind === 'a function' ? 5 : 1])

  test.each(kinds)('%s', async (_, make, seconds) => {
    const { clock, open } = await virtualWorld({ clients: { app: 'right' }, lifetimeMs: 60_000 })
    const { credentials, change } = make({ clientId: 'app', clientSecret: 'wrong' })
    const tokens = open({ credentials, sourcePollMs: 3_600_000 })
    await clock.advance(600_000)
    expect(tokens.health().ready).toBe(false)
    change({ clientId: 'app', clientSecret: 'right' })
    await clock.advance(seconds * 1000)
    expect(tokens.health().ready).toBe(true)
  })
})
