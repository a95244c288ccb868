// npm run test:memory: a million calls and ten thousand refreshes must leave the memory flat.

import { createRequire } from 'node:module'
import { measured } from './support/children.mjs'
import { build, install, requireCargo } from './support/steps.mjs'

const { forkServer } = createRequire(import.meta.url)('../demo/server.js')

const MANAGERS = 50
const REFRESHES = 10_000
const CALLS = 1_000_000
/** Tokens are replaced after about 220 ms; the server reports a second less than this. */
const LIFETIME_MS = 1300
/** After the warm-up, which does a tenth of the work. */
const MOST_GROWTH_MIB = 8

requireCargo()
await install()
await build({ release: !process.argv.includes('--debug') })

const server = await forkServer({ lifetimeMs: LIFETIME_MS })
const values = {
  tokenUrl: server.tokenUrl,
  managers: MANAGERS,
  warmUp: REFRESHES / 10,
  refreshes: REFRESHES,
  calls: CALLS,
}
const begin = performance.now()
const { start, before, after, refreshed } = await measured('refresh.js', values, { flags: ['--expose-gc'] })
const seconds = ((performance.now() - begin) / 1000).toFixed(0)
await server.close()

const mib = (bytes) => (bytes / 1024 / 1024).toFixed(1)
console.log(`RSS at the start              ${mib(start)} MiB`)
console.log(`RSS after the warm-up         ${mib(before)} MiB`)
console.log(`RSS at the end                ${mib(after)} MiB`)
console.log(`${CALLS} calls of getToken and ${refreshed} refreshes by ${MANAGERS} managers in ${seconds} s`)
const growth = (after - before) / 1024 / 1024
const isFlat = growth <= MOST_GROWTH_MIB && refreshed >= REFRESHES
console.log(`grew by ${growth.toFixed(1)} MiB of at most ${MOST_GROWTH_MIB}: ${isFlat ? 'flat' : 'NOT FLAT'}`)
process.exit(isFlat ? 0 : 1)
