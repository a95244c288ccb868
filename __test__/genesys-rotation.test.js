'use strict'

const path = require('node:path')
const { rotateInPlace } = require('../examples/genesys-rotation')
const { runWithSdk } = require('./support/genesys-sdk')
const { closeAll, manager, rejection, server } = require('./support/world')

afterEach(closeAll)

const EXAMPLE = path.join(__dirname, '../examples/genesys-rotation.js')

/**
 * A manager on a server whose client has one secret, and an API of the SDK's form that regenerates
 * it.
 */
async function world(...failures) {
  const provider = await server({ clients: { app: 'old' }, lifetimeMs: 300_000 })
  const credentials = { label: 'old', clientId: 'app', clientSecret: 'old' }
  const tokens = manager(provider, { credentials })
  await tokens.ready()
  const changes = []
  tokens.on('rotation', ({ change }) => changes.push(change))
  const made = []
  const oauthApi = {
    postOauthClientSecret: jest.fn(async (clientId) => {
      const failure = failures.shift()
      if (failure?.status >= 400) throw failure
      made.push(provider.regenerateSecret(clientId))
      if (failure) throw failure
      return { secret: made.at(-1) }
    }),
  }
  const keep = jest.fn(async () => {})
  const rotate = () => rotateInPlace({ tokens, oauthApi, clientId: 'app', keep, settleMs: 0 })
  return { provider, tokens, changes, made, oauthApi, keep, rotate }
}

test('the example rotates in place over the runway, and no request of the service fails', async () => {
  const output = await runWithSdk(EXAMPLE)
  const steps = output.match(/^\S+(?= \(generation \d\))/gm)
  expect(steps).toEqual(['started', 'prepared', 'staged', 'promoted', 'retired'])
  expect(output).toMatch(/^retired, persisted: done; the vault has the new secret: true$/m)
  const [, sent, failed] = /^(\d+) requests, (\d+) failed$/m.exec(output)
  expect(Number(sent)).toBeGreaterThan(20)
  expect(Number(failed)).toBe(0)
})

test('the new secret is kept before it is used, and the old one is never presented again', async () => {
  const { provider, tokens, made, keep, rotate } = await world()
  keep.mockImplementation(async () => {
    expect(provider.requests.map(({ presented }) => presented)).toEqual(['old', 'old'])
  })
  const rotation = await rotate()
  expect(keep.mock.calls).toEqual([made])
  expect(rotation).toMatchObject({ phase: 'retired', generation: 2, active: { clientId: 'app' } })
  expect(provider.requests.map(({ presented, status }) => [presented, status])).toEqual([
    ['old', 200],
    ['old', 200],
    [made[0], 200],
  ])
  // Whoever kept it did so without the manager's knowing.
  const problems = [{ code: 'not-persisted', affectsTokens: false }]
  expect(tokens.health()).toMatchObject({ ready: true, degraded: true, problems })
})

test('a lost answer is a lost secret: another one is made', async () => {
  const { made, keep, rotate } = await world(new Error('socket hang up'))
  expect((await rotate()).phase).toBe('retired')
  expect(made).toHaveLength(2)
  expect(keep.mock.calls).toEqual([[made[1]]])
})

test('a refusal changes nothing: the old secret is used again', async () => {
  const refusal = { status: 403, code: 'missing.any.permissions', message: 'Unable to perform' }
  const { tokens, oauthApi, keep, rotate } = await world(refusal)
  const held = tokens.peek()
  const error = await rejection(rotate())
  expect(error.message).toBe('Genesys Cloud refuses a new secret: 403 missing.any.permissions')
  expect(oauthApi.postOauthClientSecret).toHaveBeenCalledTimes(1)
  expect(keep).not.toHaveBeenCalled()
  expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1, token: { label: 'old' } })
  expect(tokens.peek()).not.toBe(held)
})

test('where no answer ever comes, the token still bridges, and nobody presents what may be dead', async () => {
  const lost = () => new Error('administrator-token')
  const { provider, tokens, keep, rotate } = await world(lost(), lost(), lost())
  const error = await rejection(rotate())
  expect(error.message).toMatch(/^Whether the secret has changed is not known/)
  expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain('administrator-token')
  expect(keep).not.toHaveBeenCalled()
  expect(tokens.status().phase).toBe('prepared')
  expect(tokens.peek()).toEqual(expect.any(String))
  const presented = provider.requests.length
  await tokens.getToken()
  expect(provider.requests).toHaveLength(presented)
})
