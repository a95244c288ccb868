// npm run bench [-- --write]: builds the addon for release and measures it, alone and against
// peers; `--write` keeps the figures in bench/RESULTS.md.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, install, requireCargo, root, step } from './support/steps.mjs'

const bench = join(root, 'bench')

requireCargo()
await install()
if (!existsSync(join(bench, 'node_modules', 'ioredis'))) {
  const install = ['install', '--prefix', bench, '--no-audit', '--no-fund']
  await step('Installing what it is measured against (npm install)', 'npm', install)
}
await build({ release: true })
const { status } = spawnSync(process.execPath, [bench, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 1)
