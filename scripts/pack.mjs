// node scripts/pack.mjs [--from DIRECTORY] [--to DIRECTORY]: makes the tarballs that npm would
// publish, for the platform of an addon that has been built. Prints their paths as JSON.

import { parseArgs } from 'node:util'
import { pack } from './support/packages.mjs'

const { values } = parseArgs({
  options: { from: { type: 'string' }, to: { type: 'string', default: '.' } },
})
console.log(JSON.stringify(pack(values)))
