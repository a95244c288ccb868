'use strict'

const { TokenManager, oauth2 } = require('..')
const { Api } = require('./api')
const { Disturbances } = require('./disturbances')
const { Report } = require('./report')
const { Rotations } = require('./rotations')
const { forkServer } = require('./server')
const { Timeline } = require('./timeline')

const PER_SECOND = 200
const LATENCY_MS = 20
/** A manager uses a token for a second less, and refreshes it `REFRESH_BEFORE_MS` before that. */
const TOKEN_LIFETIME_MS = 6000
const REFRESH_BEFORE_MS = 2000
const OVERLAP_MS = 2000

async function main() {
  const clients = { app: 'secret-one', green: 'secret-green' }
  const server = await forkServer({ clients, lifetimeMs: TOKEN_LIFETIME_MS, latencyMs: LATENCY_MS })
  const vault = { current: { label: 'one', clientId: 'app', clientSecret: 'secret-one' } }
  const tokens = new TokenManager({
    name: 'demo',
    provider: oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw' }),
    credentials: async () => vault.current,
    refreshBeforeMs: REFRESH_BEFORE_MS,
    overlapMs: OVERLAP_MS,
  })
  const report = new Report({ tokens, server })
  const timeline = new Timeline({ tokens, report })
  const api = new Api({ url: server.url, tokens, report })
  const shared = { server, tokens, api, report, timeline, vault, latencyMs: LATENCY_MS }
  const rotations = new Rotations(shared)
  timeline.begin(
    `${PER_SECOND} authorized requests a second, on tokens that live ${TOKEN_LIFETIME_MS / 1000 - 1} s; overlaps of ${OVERLAP_MS / 1000} s.`,
  )
  await tokens.ready()
  const stop = load(report, () => api.request())
  try {
    timeline.part(undefined, 'What may happen any day')
    await new Disturbances(shared).run()
    await rotations.run()
  } catch (error) {
    report.surprises.push(error.message)
  }
  await stop()
  timeline.finish()
  process.exitCode = (await report.finish(rotations.secrets)) ? 0 : 1
  await tokens.close()
  api.close()
  await server.close()
}

/**
 * Starts requests by the clock, so that those that a blocked event loop delayed are sent
 * afterwards.
 */
function load(report, makeRequest) {
  const start = performance.now()
  const pending = new Set()
  const timer = setInterval(() => {
    const due = ((performance.now() - start) / 1000) * PER_SECOND
    for (; report.started < due; report.started++) {
      const promise = makeRequest().finally(() => pending.delete(promise))
      pending.add(promise)
    }
  }, 5)
  return async () => {
    clearInterval(timer)
    await Promise.allSettled(pending)
  }
}

main()
