// npm run test:mutants: removes one defence of the rotation, the store or a member at a time; each
// time, a test must fail.
//
// `npm run test:mutants -- custody acks` tries only these.

import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { cargoEnvironment, requireCargo, root, run } from './support/steps.mjs'

/** The files that `cargo test --no-default-features` needs. */
const TREE = [
  'Cargo.toml',
  'Cargo.lock',
  'build.rs',
  'build',
  'clippy.toml',
  'src',
  'docs',
  'ARCHITECTURE.md',
  '__test__/data',
]
const MOST_SHOWN = 4
/** This test runs all scenarios once more, and fails whenever one of them does. */
const ECHO = 'rotation::tests::every_row_of_the_table_has_a_scenario'

requireCargo()
// One target directory for all: the dependencies are compiled once.
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target', 'mutants')
const env = { ...cargoEnvironment(), CARGO_TARGET_DIR: target }
const patches = join(root, 'mutants')
const wanted = process.argv.slice(2)
const names = readdirSync(patches)
  .map((file) => basename(file, '.patch'))
  .filter((name) => wanted.length === 0 || wanted.includes(name))
if (names.length === 0) throw new Error(`no mutant is called ${wanted.join(' or ')}`)

const tree = mkdtempSync(join(tmpdir(), 'oauth-rotor-mutants-'))
const count = { killed: 0, survived: 0 }
try {
  for (const path of TREE) cpSync(join(root, path), join(tree, path), { recursive: true })
  await expectHealthy()
  for (const name of names) await mutate(name)
} finally {
  rmSync(tree, { recursive: true })
}
console.log(`${count.killed} killed, ${count.survived} survived`)
process.exit(count.survived === 0 ? 0 : 1)

/** Without a mutation, all tests must pass; otherwise a failure would mean nothing. */
async function expectHealthy() {
  const { code, output } = await test()
  if (code !== 0) throw new Error(`the tests fail without a mutation:\n${output}`)
}

async function mutate(name) {
  const patch = join(patches, `${name}.patch`)
  const text = readFileSync(patch, 'utf8')
  const [what] = text.split('\n')
  await apply(patch, [])
  const { code, output } = await test(
    text.includes('+++ b/src/member/') ? ['member::'] : ['rotation::', 'store::'],
  )
  await apply(patch, ['--reverse'])
  // Cargo lists the failed tests at the end, where nothing else is printed in between.
  const failed = [...output.matchAll(/^ {4}((?:rotation|store|member)::\S+)$/gm)].map(([, test]) => test)
  const tests = [...new Set(failed)].filter((test) => test !== ECHO)
  if (code !== 0 && tests.length === 0) throw new Error(`${name} does not compile, or hangs:\n${output}`)
  count[tests.length > 0 ? 'killed' : 'survived']++
  console.log(`${tests.length > 0 ? 'killed  ' : 'SURVIVED'} ${name}: ${what}`)
  for (const test of tests.slice(0, MOST_SHOWN)) console.log(`           ${test}`)
  if (tests.length > MOST_SHOWN) console.log(`           and ${tests.length - MOST_SHOWN} more`)
}

async function apply(patch, options) {
  const args = ['apply', '--whitespace=nowarn', ...options, patch]
  const { code, output } = await run('git', args, { cwd: tree, quiet: true })
  if (code !== 0) throw new Error(`${basename(patch)} no longer applies:\n${output}`)
}

/**
 * Runs the tests of what the patch changes. A member that a broken rotation drives may never stop.
 */
function test(what = ['rotation::', 'store::', 'member::']) {
  const args = ['test', '--no-default-features', '--lib', '--', ...what, '--skip', 'simulation::']
  return run('cargo', args, { cwd: tree, env, quiet: true })
}
