// npm run audit [-- --complete]: checks what is known of everything that is linked, built with and
// tested with. Sources that could not be reached are listed as not checked, which is a failure with
// `--complete`.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { lockProblems } from './support/locks.mjs'
import { requireCargo, root, run, step } from './support/steps.mjs'

const CARGO_DENY = '0.20.2'
/**
 * The severity from which an advisory for development dependencies is a failure. The package itself
 * has no dependencies.
 */
const SEVERITY = 'high'

const mustBeComplete = process.argv.includes('--complete')
const unchecked = []

requireCargo()
lockFiles()
const deny = await cargoDeny()
await step('Bans, licenses and sources of crates (cargo-deny)', deny, [
  '--locked',
  'check',
  'bans',
  'licenses',
  'sources',
])
await crateAdvisories()
await npmAdvisories()
for (const what of unchecked) console.log(`NOT CHECKED: ${what}`)
if (unchecked.length > 0 && mustBeComplete) process.exit(1)
console.log(
  unchecked.length > 0
    ? 'Nothing is wrong with what could be checked.'
    : 'Nothing is wrong, and all is checked.',
)

function lockFiles() {
  const problems = lockProblems()
  console.log('> Lock files')
  if (problems.length === 0) return
  for (const problem of problems) console.log(problem)
  process.exit(1)
}

/** Installs the program under target/. Returns its path. */
async function cargoDeny() {
  const tools = join(root, 'target', 'tools')
  const program = join(tools, 'bin', 'cargo-deny')
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  if (stdout?.trim() !== `cargo-deny ${CARGO_DENY}`) {
    const args = ['install', '--locked', '--root', tools, '--version', CARGO_DENY, 'cargo-deny']
    await step('Installing cargo-deny (minutes)', 'cargo', args)
  }
  return program
}

async function crateAdvisories() {
  const { code, output } = await run(deny, ['fetch', 'db'], { quiet: true })
  if (code !== 0) {
    unchecked.push(`advisories for crates: ${lastLine(output)}`)
    return
  }
  await step('Advisories for crates (cargo-deny)', deny, ['--locked', 'check', 'advisories'])
}

async function npmAdvisories() {
  const { stdout } = spawnSync('npm', ['audit', '--json', `--audit-level=${SEVERITY}`], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  const { vulnerabilities, message } = parsed(stdout)
  if (!vulnerabilities) {
    unchecked.push(`advisories for npm packages: ${message ?? 'npm audit answered nothing'}`)
    return
  }
  console.log('> Advisories for npm packages')
  const found = Object.values(vulnerabilities)
  for (const { name, severity, range } of found) console.log(`  ${severity}: ${name} ${range}`)
  if (found.some(({ severity }) => ['high', 'critical'].includes(severity))) process.exit(1)
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function lastLine(text) {
  return text.trim().split('\n').at(-1)
}
