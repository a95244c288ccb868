// npm run test:crashes [-- --debug] [-- seed]: kills a process during a rotation a thousand times;
// the next one must continue.

import { createRequire } from 'node:module'
import { build, install, requireCargo } from './support/steps.mjs'

const require = createRequire(import.meta.url)

const KILLS = 340

requireCargo()
await install()
await build({ release: !process.argv.includes('--debug') })

const { KINDS, crashes } = require('../__test__/support/crashes')
const { closeAll } = require('../__test__/support/world')

const given = Number(process.argv.at(-1))
const seed = Number.isInteger(given) ? given : Math.floor(Math.random() * 2 ** 32)
console.log(`seed ${seed}`)
try {
  const all = await Promise.all(
    KINDS.map(async (kind) => [kind, await crashes({ kind, kills: KILLS, seed })]),
  )
  for (const [kind, deaths] of all) {
    const count = (fits) => String(deaths.filter(fits).length).padStart(5)
    console.log(`${kind}: killed ${deaths.length} times`)
    console.log(`${count(({ told }) => !told.includes('staged'))} before the secret was staged`)
    console.log(
      `${count(({ left }) => left.length > 0)} with a half-written file beside the one to be replaced`,
    )
    console.log(`${count(({ isKept }) => isKept)} after the secret was written`)
    console.log(`${count(({ told }) => told.includes('promoted'))} after the promotion was told`)
    console.log(`${count(({ told }) => told.includes('retired'))} after the old secret was retired`)
  }
  console.log('Each time the next process got a token unaided.')
} catch (error) {
  console.log(error.message)
  process.exitCode = 1
} finally {
  await closeAll()
}
