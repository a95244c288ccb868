'use strict'

const { Registry } = require('prom-client')
const { collectMetrics } = require('../lib/integrations/prometheus')
const { closeAll, event, manager, rejection, server, virtualWorld } = require('./support/world')

afterEach(closeAll)

const none = { success: 0, rejected: 0, misconfigured: 0, throttled: 0, endpoint: 0 }

/** The samples of a register, by name and labels. */
async function samples(register) {
  const lines = (await register.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
}

test('calls, refreshes, rejections and invalidations are counted', async () => {
  const provider = await server({ clients: { app: ['good'] } })
  const tokens = manager(provider, {
    credentials: [
      { clientId: 'app', clientSecret: 'bad' },
      { clientId: 'app', clientSecret: 'good' },
    ],
  })
  await Promise.all([tokens.getToken(), tokens.getToken(), tokens.getToken()])
  expect(tokens.invalidate(tokens.peek())).toBe(true)
  expect(tokens.invalidate(await tokens.getToken())).toBe(false)
  const { tokenRemainingMs, refreshDurationMs, ...counts } = tokens.metrics()
  expect(counts).toEqual({
    refreshes: { ...none, success: 2 },
    waits: 4,
    credentialRejections: 1,
    invalidations: 1,
    invalidationsIgnored: 1,
    threadRestarts: 0,
  })
  expect(tokenRemainingMs).toBeGreaterThan(86_000_000)
  expect(refreshDurationMs.count).toBe(2)
  expect(refreshDurationMs.buckets.at(-1)).toEqual({ le: 10_000, count: 2 })
})

test.each([
  ['rejected', { status: 401, body: { error: 'invalid_client' } }],
  ['misconfigured', { status: 400, body: { error: 'invalid_scope' } }],
  ['throttled', { status: 429, body: {} }],
  ['endpoint', { status: 503, body: {} }],
])('a refresh that fails is counted as %s', async (result, answer) => {
  const { clock, server: provider, open } = await virtualWorld()
  provider.respond(answer)
  const tokens = open({ acquireTimeoutMs: 100 })
  const failed = event(tokens, 'refresh-failed')
  const refused = rejection(tokens.ready())
  await clock.advance(100)
  await refused
  await failed
  expect(tokens.metrics().refreshes).toMatchObject({ ...none, [result]: 1 })
})

test('managers of one name count together, and what they counted stays after the end', async () => {
  const provider = await server()
  const [first, second] = [manager(provider, { name: 'counted' }), manager(provider, { name: 'counted' })]
  await Promise.all([first.getToken(), second.getToken()])
  const { tokenRemainingMs, ...counts } = first.metrics()
  expect(second.metrics()).toMatchObject(counts)
  expect(tokenRemainingMs).toBeGreaterThan(0)
  await first.close()
  expect(first.metrics()).toEqual({ ...counts, tokenRemainingMs: 0 })
})

test('prom-client shows every metric under the manager’s name', async () => {
  const register = new Registry()
  const tokens = manager(await server(), { name: 'shown' })
  await tokens.ready()
  collectMetrics(tokens, { register })
  const { refreshDurationMs } = tokens.metrics()
  const shown = await samples(register)
  expect(shown['oauth_rotor_token_remaining_seconds{name="shown"}']).toBeGreaterThan(86_000)
  expect(shown).toMatchObject({
    'oauth_rotor_token_refreshes_total{name="shown",result="success"}': 1,
    'oauth_rotor_token_refreshes_total{name="shown",result="endpoint"}': 0,
    'oauth_rotor_token_waits_total{name="shown"}': 1,
    'oauth_rotor_credential_rejections_total{name="shown"}': 0,
    'oauth_rotor_refresh_duration_seconds_bucket{name="shown",le="10"}': 1,
    'oauth_rotor_refresh_duration_seconds_bucket{name="shown",le="+Inf"}': 1,
    'oauth_rotor_refresh_duration_seconds_sum{name="shown"}': refreshDurationMs.sum / 1000,
    'oauth_rotor_refresh_duration_seconds_count{name="shown"}': 1,
  })
})

test('a register shows several managers, each under its own name, until it is told otherwise', async () => {
  const register = new Registry(Registry.OPENMETRICS_CONTENT_TYPE)
  const provider = await server()
  const [first, second] = [manager(provider, { name: 'first' }), manager(provider)]
  await Promise.all([first.ready(), second.ready()])
  const stop = collectMetrics(first, { register, prefix: '' })
  collectMetrics(second, { register, prefix: '' })
  expect(() => collectMetrics(second, { register, prefix: '' })).toThrow(
    'already shows a manager as "default"',
  )
  expect(await samples(register)).toMatchObject({
    'token_refreshes_total{name="first",result="success"}': 1,
    'token_refreshes_total{name="default",result="success"}': 1,
  })
  stop()
  expect(Object.keys(await samples(register)).filter((name) => name.includes('first'))).toEqual([])
})

test('collectMetrics refuses what is no manager and what is no option', () => {
  const register = new Registry()
  const tokens = { metrics: () => ({}), status: () => ({ name: undefined }) }
  expect(() => collectMetrics(undefined)).toThrow('collectMetrics(tokens) takes a TokenManager, got nothing.')
  expect(() => collectMetrics(tokens, register)).toThrow('Known: register, prefix, name.')
  expect(() => collectMetrics(tokens, { register, nane: 'x' })).toThrow("Did you mean 'name'?")
  expect(register.getMetricsAsArray()).toEqual([])
})
