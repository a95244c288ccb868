// npm run test:rotations: 20 rotations at 500 requests a second, a third of them with a wrong
// secret.

import { measured } from './support/children.mjs'
import { build, install, requireCargo } from './support/steps.mjs'

const ROTATIONS = 20
const PER_SECOND = 500
/** In microseconds; below a millisecond a call waits for nothing but the machine. */
const FLOOR_US = 1000

requireCargo()
await install()
await build({ release: !process.argv.includes('--debug') })

const result = await measured('rotations.js', { rotations: ROTATIONS, perSecond: PER_SECOND })
const wrong = Math.floor(ROTATIONS / 3)
const { quiet, rotating, windows, failures } = result
const range = (values) => `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`
console.log(`requests that succeeded            ${result.succeeded}`)
console.log(`requests that failed               ${failures.length} ${[...new Set(failures)]}`)
console.log(`calls of getToken without a token  ${result.withoutToken}`)
console.log(
  `secrets that were retired          ${result.retired}, presented after that ${result.usesOfRetired}`,
)
console.log(
  `wrong secrets                      ${result.wrong.length}, presented ${result.presentedWrong} times`,
)
console.log(`token requests                     ${result.tokenRequests}, refused good ones ${result.refused}`)
console.log(
  `p99.9 of getToken, medians         ${quiet.toFixed(1)} µs without a rotation, ${rotating.toFixed(1)} µs in one`,
)
console.log(`  from window to window            ${range(windows.quiet)}, ${range(windows.rotating)}`)
const isGood =
  failures.length + result.withoutToken + result.usesOfRetired + result.refused === 0 &&
  result.retired === ROTATIONS - wrong &&
  result.wrong.length === wrong &&
  result.wrong.every((code) => code === 'ERR_CANDIDATE_REJECTED') &&
  rotating < Math.max(FLOOR_US, 2 * quiet)
console.log(isGood ? 'Not one request failed.' : 'NOT GOOD')
process.exit(isGood ? 0 : 1)
