// npm run test:simulation, npm run test:model, npm run test:echoes: what every test run does briefly, at length.

import { cargoEnvironment, passedInRust, requireCargo, step } from './steps.mjs'

/** The names of the tests. */
const SEARCHES = {
  simulation: 'simulation',
  model: 'no_order_of_events_breaks_an_invariant',
  echoes: 'no_echo_of_a_secret_is_shown',
}

const [what] = process.argv.slice(2)
if (!Object.hasOwn(SEARCHES, what)) throw new Error(`one of ${Object.keys(SEARCHES).join(', ')} is needed`)

requireCargo()
const env = { ...cargoEnvironment(), ROTATION_CHECK: 'long', CARGO_PROFILE_TEST_OPT_LEVEL: '3' }
const args = ['test', '--no-default-features', '--lib', SEARCHES[what], '--', '--nocapture']
const output = await step(`At length: the ${what}`, 'cargo', args, { env })
// What it counted; a test that was renamed would have counted nothing.
console.log(output.slice(output.indexOf('running ')))
passedInRust(output, what)
