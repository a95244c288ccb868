'use strict'

// Failures that nobody waits for, or no longer: an unhandled rejection ends this process.

const { createClock } = require('../../../lib/testing')
const world = require('../world')

const HOUR = 3_600_000

async function main() {
  const clock = createClock()
  const server = await world.server({ clock, lifetimeMs: HOUR })
  const tokens = world.manager(server, { clock })
  const failures = []
  tokens.on('refresh-failed', ({ error }) => failures.push(error.code))
  await tokens.ready()
  server.set({ outage: 503 })
  await clock.advance(2 * HOUR)
  server.set({ outage: false, clients: {} })
  await clock.advance(HOUR)
  server.set({ outage: true })

  const controller = new AbortController()
  const aborted = world.rejection(tokens.getToken({ signal: controller.signal }))
  controller.abort('stop')
  await aborted
  const refused = world.rejection(tokens.getToken())
  await clock.advance(HOUR)
  await refused
  await world.closeAll()
  await new Promise(setImmediate)
  console.log(JSON.stringify({ failures: [...new Set(failures)].sort() }))
}

main()
