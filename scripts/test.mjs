// npm test: every check of this project, from a fresh clone on. The last line has the counts.

import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pack } from './support/packages.mjs'
import { redisEnvironment } from './support/redis.mjs'
import {
  bin,
  build,
  cargoEnvironment,
  clippy,
  install,
  passedInRust,
  requireCargo,
  root,
  step,
  style,
} from './support/steps.mjs'

const count = { passed: 0, failed: 0 }

requireCargo()
const env = cargoEnvironment()
const pure = ['--no-default-features']
const io = [...pure, '--features', 'io']

await install()
const redis = await redisEnvironment()
await style()
await clippy('the pure core', ['--all-targets', ...pure], { env })
await clippy('the core with I/O', ['--all-targets', ...io], { env })
await clippy('the binding', [], { env })
countRust(await step('Rust tests of the pure core', 'cargo', ['test', ...pure], { env }), 'pure')
// The searches and simulations of the pure core have run already.
const searches = ['simulation', 'model', 'member::tests::faults', 'webhook::tests']
const rest = ['test', ...io, '--', ...searches.flatMap((search) => ['--skip', search])]
countRust(await step('Rust tests with I/O', 'cargo', rest, { env: { ...env, ...redis } }), 'io')
await step('Rust documentation', 'cargo', ['doc', '--quiet', '--no-deps', ...io], {
  env: { ...env, RUSTDOCFLAGS: '-D warnings' },
})
await build({ release: false })
await jest()
await packageChecks()
console.log(`${count.passed} passed, ${count.failed} failed`)

function countRust(output, what) {
  count.passed += passedInRust(output, what)
}

async function jest() {
  const file = join(tmpdir(), `oauth-rotor-jest-${process.pid}.json`)
  const args = ['--expose-gc', bin('jest'), '--json', `--outputFile=${file}`]
  await step('Jest', process.execPath, args)
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(file, 'utf8'))
  rmSync(file)
  if (numPendingTests > 0) throw new Error(`${numPendingTests} tests were skipped`)
  console.log(`  ${numPassedTests} passed`)
  count.passed += numPassedTests
  count.failed += numFailedTests
}

/**
 * Checks that tools understand what would be published. __test__/package.test.js installs and uses
 * it.
 */
async function packageChecks() {
  const { main, platform } = pack({ to: join(root, 'target', 'packages-debug') })
  for (const file of [main, platform]) {
    await step(`Package metadata (publint) of ${basename(file)}`, bin('publint'), ['--strict', file])
  }
  await step('Types of the package for every module resolution (attw)', bin('attw'), [main])
  count.passed += 3
}
