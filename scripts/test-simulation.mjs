// npm run test:simulation: rotates 100,000 times in a process, and in fleets, whose world misbehaves.

import { search } from './support/search.mjs'

await search('simulation', 'simulation')
