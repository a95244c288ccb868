'use strict'

const { child } = require('./support/process')
const { closeAll, event, forkedServer, manager } = require('./support/world')

afterEach(closeAll)

/**
 * A millisecond: `getToken` takes microseconds when it has a token, so that twice as long is the
 * noise of a busy machine, and 20 ms and more when it waits for the token endpoint.
 */
const FLOOR_US = 1000

test('rotations, every third with a wrong secret, fail no request and slow none down', async () => {
  const values = { rotations: 3, perSecond: 500 }
  const { succeeded, quiet, rotating, ...result } = await child('rotations.js', values).result()
  expect(result).toMatchObject({
    failures: [],
    withoutToken: 0,
    retired: 2,
    wrong: ['ERR_CANDIDATE_REJECTED'],
    generation: 3,
    usesOfRetired: 0,
    refused: 0,
  })
  expect(succeeded).toBeGreaterThan(values.rotations * values.perSecond)
  expect(result.presentedWrong).toBeGreaterThanOrEqual(3)
  // The medians over the windows of the 99.9th percentiles.
  expect(rotating).toBeLessThan(Math.max(FLOOR_US, 2 * quiet))
})

test('while the event loop is blocked, a secret is proved and promoted, and its token is there afterwards', async () => {
  const provider = await forkedServer({ clients: { app: ['old', 'new'] } })
  const tokens = manager(provider, { credentials: { clientId: 'app', clientSecret: 'old' } })
  await tokens.ready()
  const held = tokens.peek()
  const promoted = event(tokens, 'rotation', ({ change }) => change === 'promoted')
  const rotating = tokens.rotate({ clientSecret: 'new' })
  const begin = Date.now()
  // No turn of the event loop until both are so.
  while (Date.now() < begin + 3000 || tokens.peek() === held);
  const end = Date.now()
  expect(tokens.status()).toMatchObject({ phase: 'overlap', generation: 2 })
  const token = tokens.peek()
  expect(await tokens.getToken()).toBe(token)
  expect(await rotating).toMatchObject({ phase: 'overlap', generation: 2 })
  expect((await promoted).at.getTime()).toBeLessThan(end)
  const [, proof] = await provider.tokenRequests()
  expect(proof).toMatchObject({ presented: 'new', status: 200 })
  expect(proof.at).toBeLessThan(end)
  const headers = { authorization: `Bearer ${token}` }
  expect((await fetch(`${provider.url}/api/v2/conversations`, { headers })).status).toBe(200)
})
