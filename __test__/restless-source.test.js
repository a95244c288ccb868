'use strict'

const { SOURCES } = require('./support/changing')
const { closeAll, virtualWorld } = require('./support/world')

afterEach(closeAll)

const credential = (clientSecret) => ({ clientId: 'app', clientSecret })

/** A manager whose source flips between two secrets every 10 ms for 5 s, and what came of it. */
async function flipping() {
  const { clock, server, open } = await virtualWorld({ clients: { app: ['odd', 'even'] } })
  const { credentials, change } = SOURCES['environment variables'](credential('even'))
  const tokens = open({ credentials, sourcePollMs: 10 })
  const changes = []
  tokens.on('source', (told) => changes.push(told))
  await tokens.ready()
  await clock.advance(1000)
  const before = server.requests.length
  for (let flip = 1; flip <= 500; flip++) {
    change(credential(flip % 2 === 0 ? 'even' : 'odd'))
    await clock.advance(10)
  }
  return { clock, server, tokens, changes, change, requests: server.requests.length - before }
}

const problemsOf = (tokens) => tokens.health().problems.map(({ code }) => code)

test('a source that flips between two secrets is followed once a second, which is told once', async () => {
  const { clock, tokens, changes, change, requests } = await flipping()
  const throttled = changes.filter((told) => told.change === 'throttled')
  expect(throttled).toHaveLength(1)
  expect(throttled[0].message).toMatch(/^changes so often that only one change a second is taken up/)
  expect(changes.filter((told) => told.change === 'changed').length).toBeLessThanOrEqual(16)
  expect(requests).toBeGreaterThan(0)
  expect(requests).toBeLessThanOrEqual(2 * 16)
  expect(problemsOf(tokens)).toContain('source-throttled')
  const { message } = tokens.health().problems.find(({ code }) => code === 'source-throttled')
  expect(message).toMatch(/^The source of credentials\[0\] changes so often/)

  change(credential('odd'))
  await clock.advance(30_000)
  expect(problemsOf(tokens)).toEqual([])
  const told = changes.length
  change(credential('even'))
  await clock.advance(10)
  expect(changes.slice(told)).toMatchObject([{ change: 'changed' }])
})

test('the secret that a flipping source yields in the end is the active one, and token calls are served', async () => {
  const { clock, server, tokens, change } = await flipping()
  expect(tokens.peek()).toEqual(expect.any(String))
  server.setSecrets('app', ['last'])
  change(credential('last'))
  await clock.advance(5_000)
  const active = tokens.status().credentials.find(({ role }) => role === 'active')
  expect(active.state).toBe('accepted')
  expect(server.requests.at(-1).status).toBe(200)
  expect(await tokens.getToken()).toEqual(expect.any(String))
})
