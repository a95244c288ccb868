'use strict'

const http = require('node:http')
const { TokenManager, oauth2 } = require('..')
const { Report } = require('./report')
const { forkServer } = require('./server')

const SECONDS = 15
const PER_SECOND = 200
const TOKEN_LIFETIME_MS = 5000
const BLOCK_MS = 2000
const OUTAGE_MS = 750

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

async function main() {
  const server = await forkServer({ lifetimeMs: TOKEN_LIFETIME_MS, latencyMs: 20 })
  const tokens = new TokenManager({
    name: 'demo',
    provider: oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { label: 'demo', clientId: 'app', clientSecret: 'secret' },
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
  tokens.on('refresh-failed', ({ runwayMs }) => {
    report.note(`a refresh failed; the held token lasts another ${runwayMs} ms, nobody notices`)
  })

  const beforeRefresh = (millis, act) => setTimeout(act, tokens.status().nextRefreshAt - Date.now() - millis)
  const outage = async () => {
    report.note(`the token endpoint is cut off for ${OUTAGE_MS} ms, just when a refresh is due`)
    await server.set({ outage: true })
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS))
    await server.set({ outage: false })
  }
  const blockage = () => {
    report.note(
      `the event loop is blocked for ${BLOCK_MS} ms while a refresh is due; the native thread goes on`,
    )
    block(BLOCK_MS)
  }
  const revocation = async () => {
    report.note('the provider revokes the token that is in use')
    await server.revoke(tokens.peek())
  }
  const events = [
    [1, () => beforeRefresh(400, outage)],
    [6.5, () => beforeRefresh(700, blockage)],
    [12, revocation],
  ]
  await drive(report, events, () => request(server, tokens, report))
  report.finish(await server.count())
  await tokens.close()
  agent.destroy()
  await server.close()
  process.exitCode = report.failed === 0 && report.isComplete ? 0 : 1
}

/** Starts requests by the clock, so that those that a blocked event loop held up are made up for. */
function drive(report, events, makeRequest) {
  return new Promise((resolve) => {
    const start = performance.now()
    const pending = new Set()
    const timer = setInterval(() => {
      const elapsed = (performance.now() - start) / 1000
      while (events.length > 0 && elapsed >= events[0][0]) events.shift()[1]()
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

/** One request; a 401 drops exactly that token, and the request is made once more with another. */
async function request(server, tokens, report) {
  try {
    const token = await timed(tokens, report)
    let status = await get(server, token)
    if (status === 401) {
      tokens.invalidate(token)
      report.replayed += 1
      status = await get(server, await timed(tokens, report))
    }
    if (status < 200 || status > 299) throw new Error(`status ${status}`)
    report.succeeded += 1
  } catch (error) {
    report.fail(error)
  }
}

async function timed(tokens, report) {
  const hadToken = tokens.peek() !== undefined
  const before = performance.now()
  const token = await tokens.getToken()
  report.waited(performance.now() - before, hadToken)
  return token
}

function get(server, token) {
  return new Promise((resolve, reject) => {
    const options = { agent, headers: { Authorization: `Bearer ${token}` } }
    http
      .get(`${server.url}/api/v2/conversations`, options, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
      .on('error', reject)
  })
}

function block(millis) {
  const end = performance.now() + millis
  while (performance.now() < end);
}

main()
