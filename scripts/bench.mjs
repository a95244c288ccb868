// npm run bench [-- --write]: builds the addon for release and measures it; `--write` keeps the figures in
// bench/RESULTS.md.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build, install, requireCargo, root } from './steps.mjs'

requireCargo()
await install()
await build({ release: true })
const bench = [join(root, 'bench', 'get-token.js'), ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, bench, { stdio: 'inherit' })
process.exit(status ?? 1)
