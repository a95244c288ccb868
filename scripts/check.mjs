// npm run check: the quick check after each change: format, lint, types, and the pure core without
// its searches.

import {
  bin,
  cargoEnvironment,
  clippy,
  install,
  passedInRust,
  requireCargo,
  step,
  style,
} from './support/steps.mjs'

requireCargo()
const env = cargoEnvironment()
const pure = ['--no-default-features']
const begin = performance.now()

await install()
await style()
await step('Structure: names, imports, lengths, comments', process.execPath, ['scripts/check-structure.mjs'])
await clippy('the pure core', ['--all-targets', ...pure], { env })
await step('Types (tsc)', bin('jest'), ['__test__/types.test.js'])
// `npm test` has the searches and the simulation as well.
const tests = ['test', ...pure, '--', '--skip', 'simulation', '--skip', 'model']
passedInRust(await step('Rust tests of the pure core', 'cargo', tests, { env }), 'pure')
console.log(`All is well, after ${((performance.now() - begin) / 1000).toFixed(0)} s.`)
