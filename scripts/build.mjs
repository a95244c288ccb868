// npm run build, npm run build:debug: the addon, from a fresh clone on.

import { build, install, requireCargo } from './support/steps.mjs'

requireCargo()
await install()
await build({ release: !process.argv.includes('--debug') })
