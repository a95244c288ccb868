// npm run bench: builds the addon for release and measures it.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build, install, requireCargo, root } from './steps.mjs'

requireCargo()
await install()
await build({ release: true })
const { status } = spawnSync(process.execPath, [join(root, 'bench', 'get-token.js')], { stdio: 'inherit' })
process.exit(status ?? 1)
