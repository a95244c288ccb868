'use strict'

// What a call costs while a token is held: `node bench/get-token.js [--write]`.
// Fails when `await getToken()` costs more than a promise that plain JavaScript keeps.

const { TokenManager, oauth2 } = require('..')
const { forkAuthorizationServer } = require('../demo/authorization-server')
const { COPIES, ROUNDS, SAMPLE_MS, cpuClock, measure, variant } = require('./harness')
const { Results } = require('./results')

const HIGHEST_RATIO = 1.05

/** What people write by hand: a token kept until a margin before its end. */
class HandWritten {
  #token
  #renewAt

  constructor(token, lifetimeMs) {
    this.#token = token
    this.#renewAt = Date.now() + lifetimeMs - 60_000
  }

  async getToken() {
    if (Date.now() < this.#renewAt) return this.#token
    throw new Error('It lives longer than this runs.')
  }
}

async function main() {
  const lifetimeMs = 86_400_000
  const server = await forkAuthorizationServer({ lifetimeMs })
  const options = {
    provider: oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
  }
  const tokens = new TokenManager({ ...options, strict: false })
  const strictTokens = new TokenManager({ ...options, strict: true })
  const token = await tokens.getToken()
  await strictTokens.getToken()

  const rows = await measure([
    variant('`await` of a cached promise', { promise: Promise.resolve(token) }, 'await subject.promise'),
    variant('`await getToken()`', tokens, 'await subject.getToken()'),
    variant('`await getToken()`, `strict: true`', strictTokens, 'await subject.getToken()'),
    variant('by hand: `async`, `Date.now()`', new HandWritten(token, lifetimeMs), 'await subject.getToken()'),
    variant('`peek()`', tokens, 'subject.peek()', { isSync: true }),
  ])
  await Promise.all([tokens.close(), strictTokens.close()])
  await server.close()

  const ratio = rows[1].ratio
  const results = new Results()
  report(results, rows, ratio)
  if (process.argv.includes('--write')) results.write()
  process.exitCode = ratio <= HIGHEST_RATIO ? 0 : 1
}

function report(results, rows, ratio) {
  results.title('Measured')
  results.conditions({
    Method:
      `${ROUNDS} rounds of all rows in turns, ${SAMPLE_MS} ms a sample, each loop compiled ${COPIES} times ` +
      `(the median counts), ${cpuClock.name}`,
  })
  results.section('What a call costs while a token is held')
  results.table([
    ['Call', 'ns p10', 'ns p50', 'ns p90', 'Ratio of p10'],
    ...rows.map(({ name, p10, p50, p90, ratio }) => [
      name,
      ...[p10, p50, p90].map((nanos) => nanos.toFixed(1)),
      ratio.toFixed(2),
    ]),
  ])
  const verdict = ratio <= HIGHEST_RATIO ? 'reached' : 'missed'
  results.say(
    `Target: \`await getToken()\` costs at most ${HIGHEST_RATIO} times the cached promise. ` +
      `Measured: ${ratio.toFixed(3)}: ${verdict}.`,
  )
}

main()
