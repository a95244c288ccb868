// npm run test:timing: does the time of a verification reveal where a signature is wrong? Welch's
// t-tests in an optimized build, as it is published.

import { cargoEnvironment, passedInRust, requireCargo, step } from './support/steps.mjs'

requireCargo()
const name = 'the_time_of_a_verification'
const args = ['test', '--release', '--no-default-features', '--lib', name, '--', '--ignored', '--nocapture']
const output = await step('Timing verifications (minutes, the first time)', 'cargo', args, {
  env: cargoEnvironment(),
})
console.log(output.slice(output.indexOf('running ')))
passedInRust(output, 'timing')
