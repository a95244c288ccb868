'use strict'

const { TokenManager, oauth2 } = require('..')
const { Api } = require('./api')
const { Disturbances } = require('./disturbances')
const { Report } = require('./report')
const { forkServer } = require('./server')

const SECONDS = 15
const PER_SECOND = 200
const TOKEN_LIFETIME_MS = 5000
const REFRESH_BEFORE_MS = 1500

async function main() {
  const server = await forkServer({ lifetimeMs: TOKEN_LIFETIME_MS, latencyMs: 20 })
  const tokens = new TokenManager({
    name: 'demo',
    provider: oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { label: 'demo', clientId: 'app', clientSecret: 'secret' },
    refreshBeforeMs: REFRESH_BEFORE_MS,
  })
  await tokens.ready()

  const report = new Report({ seconds: SECONDS, perSecond: PER_SECOND })
  report.start(
    `${PER_SECOND} authorized requests a second for ${SECONDS} s, on tokens that live ${TOKEN_LIFETIME_MS / 1000} s.`,
  )
  tokens.on('token', ({ serial }) => report.note(`token ${serial} is in use`))
  tokens.on('token-retired', ({ serial, reason }) => {
    if (reason !== 'replaced') report.tokenLost(serial, reason)
  })
  tokens.on('refresh-failed', (failure) => report.refreshFailed(failure))

  const api = new Api({ url: server.url, tokens, report })
  const disturbances = new Disturbances({ server, tokens, api, report })
  await drive(report, disturbances, () => api.request())
  report.finish(await server.count())
  await tokens.close()
  api.close()
  await server.close()
  process.exitCode = report.isGood ? 0 : 1
}

/** Starts requests by the clock, so that those that a blocked event loop held up are made up for. */
function drive(report, disturbances, makeRequest) {
  return new Promise((resolve) => {
    const start = performance.now()
    const pending = new Set()
    const timer = setInterval(() => {
      const elapsed = (performance.now() - start) / 1000
      disturbances.begin(elapsed)
      const due = Math.min(elapsed, SECONDS) * PER_SECOND
      for (; report.started < due; report.started++) {
        const promise = makeRequest().finally(() => pending.delete(promise))
        pending.add(promise)
      }
      report.progress(elapsed)
      if (elapsed >= SECONDS) {
        clearInterval(timer)
        Promise.allSettled(pending).then(resolve)
      }
    }, 5)
  })
}

main()
