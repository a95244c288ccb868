// Runs at length what every test run does briefly.

import { cargoEnvironment, passedInRust, requireCargo, step } from './steps.mjs'

/** Runs the Rust tests of a name at length; `what` says what is searched. */
export async function search(what, tests) {
  requireCargo()
  const env = { ...cargoEnvironment(), ROTATION_CHECK: 'long', CARGO_PROFILE_TEST_OPT_LEVEL: '3' }
  const args = ['test', '--no-default-features', '--lib', tests, '--', '--nocapture']
  const output = await step(`At length: the ${what}`, 'cargo', args, { env })
  // Prints what the tests counted. A test that was renamed would have counted nothing.
  console.log(output.slice(output.indexOf('running ')))
  passedInRust(output, what)
}
