'use strict'

const { child, until } = require('./support/process')
const { closeAll, server } = require('./support/world')

afterEach(closeAll)

const STOPS = 10
/** As the endpoint reports it: a second less than the server grants. */
const LIFE_MS = 400

/**
 * Stops a process that reads tokens until each has ended, and continues it; returns what it read.
 */
async function suspended(options) {
  const provider = await server({ lifetimeMs: LIFE_MS + 1000 })
  const reader = child('suspended.js', { tokenUrl: provider.tokenUrl, ...options })
  for (let stop = 1; stop <= STOPS; stop++) {
    await reader.said(`token ${stop}.`)
    // Not always at the same point of a token's life.
    await until(() => Date.now() > provider.requests.at(-1).at + 25 * stop)
    reader.kill('SIGSTOP')
    await until(() => Date.now() > provider.requests.at(-1).at + LIFE_MS + 100)
    reader.kill('SIGCONT')
  }
  await reader.said(`token ${STOPS + 1}.`)
  reader.tell('enough')
  return reader.result()
}

test('under strict, a process that was stopped beyond its token’s end never gets that token', async () => {
  expect(await suspended({ strict: true })).toMatchObject({ peek: 0, getToken: 0 })
})

test('without strict, a token that ended while the process was stopped is gone within a second', async () => {
  const { longestMs } = await suspended({ strict: false })
  expect(longestMs).toBeLessThan(1000)
})
