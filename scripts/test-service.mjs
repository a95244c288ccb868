// npm run test:service: 20,000 webhooks through the example service, across five changes of client
// secret and signing key, a SIGTERM and a SIGKILL. It fails if one is lost or refused.

import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build, install, requireCargo, root } from './support/steps.mjs'

const AT_LEAST = 20_000
const ROTATIONS = 5

requireCargo()
await install()
await build({ release: !process.argv.includes('--debug') })

const require = createRequire(import.meta.url)
const { createProject } = require('../demo/webhooks/project')
const { flawsOf, sendThroughRotations } = require('../demo/webhooks/traffic')

const directory = join(root, 'target', 'test-service')
rmSync(directory, { recursive: true, force: true })
createProject(directory)
const options = { directory, atLeast: AT_LEAST, rotations: ROTATIONS }
const counts = await sendThroughRotations({ ...options, tell: (text) => console.log(text) })
for (const [name, count] of Object.entries(counts)) console.log(`  ${name.padEnd(16)}${count}`)
const flaws = flawsOf(counts, options)
console.log(flaws.length === 0 ? 'Not one webhook was lost or refused.' : `NOT GOOD: ${flaws.join(', ')}`)
process.exit(flaws.length === 0 ? 0 : 1)
