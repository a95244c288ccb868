// npm run test:fuzz: tries random answers of a token endpoint, guided by coverage. `-- --runs N`
// says how many.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { requireCargo, root, run, step } from './support/steps.mjs'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000000' } } })
if (!/^[1-9]\d*$/.test(values.runs)) throw new Error('--runs takes a whole number from 1')

requireCargo()
// Outside the sources: the responses that are found belong to one build of the target.
const home = join(root, 'target', 'fuzz')
const found = join(home, 'response')
mkdirSync(found, { recursive: true })

// In a directory of its own, where cargo finds it by its name.
const tools = join(home, 'tools')
const cargoFuzz = join(tools, 'bin', process.platform === 'win32' ? 'cargo-fuzz.exe' : 'cargo-fuzz')
if (!existsSync(cargoFuzz)) {
  const args = ['install', '--locked', 'cargo-fuzz', '--version', '^0.13', '--root', tools]
  await step('Installing cargo-fuzz (a minute)', 'cargo', args)
}
// The stable compiler has what the sanitizers need, if this variable is set.
const env = { RUSTC_BOOTSTRAP: '1', CARGO_TARGET_DIR: join(home, 'build') }
const target = ['--fuzz-dir', join(root, 'fuzz'), 'response']
const options = [
  `-runs=${values.runs}`,
  `-dict=${join(root, 'fuzz', 'response.dict')}`,
  `-artifact_prefix=${join(home, 'response-')}`,
  '-max_len=4096',
  '-timeout=10',
  '-rss_limit_mb=2048',
  '-print_final_stats=1',
]
const corpora = [found, join(root, 'fuzz', 'corpus', 'response')]
await step('Building the target', cargoFuzz, ['build', ...target], { env })
console.log(`> Judging ${Number(values.runs).toLocaleString('en')} answers`)
const args = ['run', ...target, ...corpora, '--', ...options]
const { code, output } = await run(cargoFuzz, args, { env, quiet: true })
if (code !== 0) {
  // Prints what was found, and the file of the response, without the progress.
  console.log(output.replace(/^#\d.*\n/gm, ''))
  process.exitCode = 1
}
const stat = (name) => new RegExp(`^stat::${name}:\\s+(\\d+)`, 'm').exec(output)?.[1]
const [, coverage] = [...output.matchAll(/ cov: (\d+) /g)].at(-1) ?? []
console.log(
  `${stat('number_of_executed_units')} answers, ${stat('average_exec_per_sec')} a second, ` +
    `${coverage} edges covered, ${stat('new_units_added')} new answers kept, at most ${stat('peak_rss_mb')} MiB`,
)
