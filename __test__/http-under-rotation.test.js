'use strict'

const { CLIENTS } = require('./support/http-clients')
const { HttpLoad } = require('./support/http-load')
const { closeAll, virtualWorld } = require('./support/world')

afterEach(closeAll)

/**
 * With tokens of 20 s a second report within 2 s is ignored; revocations keep 3 s and more apart.
 */
const LIFETIME_MS = 20_000
const REVOCATIONS = 20
const REQUESTS = 2000

/** A small generator, so that a failure comes again. */
function random(seed) {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

test.each(CLIENTS)('$name: no request fails while tokens are revoked and secrets change', async (client) => {
  const { clock, server, open: openManager } = await virtualWorld({ lifetimeMs: LIFETIME_MS })
  const tokens = openManager({ overlapMs: 1000 })
  await tokens.ready()
  const load = await HttpLoad.start({ server, tokens, client })
  const next = random(12)
  const costs = []

  /** Lets requests be made in the time that the machine takes, without any of the clock's. */
  const whileRequests = async (many) => {
    const enough = load.succeeded + many
    while (load.succeeded < enough && load.failures.length === 0) await new Promise(setImmediate)
  }
  for (let round = 1; round <= REVOCATIONS; round++) {
    await clock.advance(3000 + Math.floor(next() * 3000))
    await whileRequests(Math.floor(next() * 40))
    const before = server.requests.length
    server.revoke()
    await whileRequests(REQUESTS / REVOCATIONS / 2)
    costs.push(server.requests.length - before)
    if (round % 2 === 0) {
      await clock.advance(2500)
      server.setSecrets('app', [`secret-${round - 2}`, `secret-${round}`, 'secret'])
      const rotated = await tokens.rotate({ clientSecret: `secret-${round}` })
      await clock.advance(1500)
      await rotated.until('retired')
    }
    await whileRequests(REQUESTS / REVOCATIONS / 2)
  }
  await load.stop()

  expect(load.failures).toEqual([])
  expect(load.succeeded).toBeGreaterThanOrEqual(REQUESTS)
  expect(load.redirected).toBeGreaterThan(0)
  expect(load.strayed).toEqual([])
  expect(load.handedOver).toBeGreaterThanOrEqual(REQUESTS)
  expect(load.sentDropped).toBe(0)
  expect(costs).toEqual(Array(REVOCATIONS).fill(1))
  expect(tokens.status().generation).toBe(1 + REVOCATIONS / 2)
})

test.each(CLIENTS)(
  '$name: 1,000 requests that meet a revoked token cost one token request',
  async (client) => {
    const { clock, server, open: openManager } = await virtualWorld({ lifetimeMs: LIFETIME_MS })
    const tokens = openManager()
    await tokens.ready()
    await clock.advance(3000)
    const { send, close } = client.open({ url: server.url, tokens })
    server.revoke()
    const answers = await Promise.all(Array.from({ length: 1000 }, () => send({ path: '/api/v2/users/me' })))
    expect(answers.map(({ status }) => status)).toEqual(Array(1000).fill(200))
    expect(server.requests).toHaveLength(2)
    const refused = server.resourceRequests.filter(({ status }) => status === 401)
    expect(refused.length).toBeGreaterThan(0)
    expect(server.resourceRequests).toHaveLength(1000 + refused.length)
    await close()
  },
)
