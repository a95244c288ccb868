// npm run demo:webhooks: builds what is needed and runs the demo of webhooks.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build, install, requireCargo, root } from './support/steps.mjs'

requireCargo()
await install()
await build({ release: true })
const { status } = spawnSync(process.execPath, [join(root, 'demo', 'webhooks', 'run.js')], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
