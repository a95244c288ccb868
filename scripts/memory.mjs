// npm run test:memory: a million calls and ten thousand refreshes must leave the memory flat.

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build, install, requireCargo, root } from './steps.mjs'

const { forkServer } = createRequire(import.meta.url)('../demo/server.js')

const MANAGERS = 50
const REFRESHES = 10_000
const CALLS = 1_000_000
/** Tokens are replaced after about 220 ms; the server reports a second less than this. */
const LIFETIME_MS = 1300
/** After the warm-up, which does a tenth of the work. */
const MOST_GROWTH_MIB = 8

requireCargo()
await install()
await build({ release: !process.argv.includes('--debug') })

const server = await forkServer({ lifetimeMs: LIFETIME_MS })
const values = {
  tokenUrl: server.tokenUrl,
  managers: MANAGERS,
  warmUp: REFRESHES / 10,
  refreshes: REFRESHES,
  calls: CALLS,
}
const begin = performance.now()
const { start, before, after, refreshed } = await measure(values)
const seconds = ((performance.now() - begin) / 1000).toFixed(0)
await server.close()

const mib = (bytes) => (bytes / 1024 / 1024).toFixed(1)
console.log(`RSS at the start              ${mib(start)} MiB`)
console.log(`RSS after the warm-up         ${mib(before)} MiB`)
console.log(`RSS at the end                ${mib(after)} MiB`)
console.log(`${CALLS} calls of getToken and ${refreshed} refreshes by ${MANAGERS} managers in ${seconds} s`)
const growth = (after - before) / 1024 / 1024
const isFlat = growth <= MOST_GROWTH_MIB && refreshed >= REFRESHES
console.log(`grew by ${growth.toFixed(1)} MiB of at most ${MOST_GROWTH_MIB}: ${isFlat ? 'flat' : 'NOT FLAT'}`)
process.exit(isFlat ? 0 : 1)

/** Does the work in a process that does nothing else; answers what it measured. */
function measure(values) {
  const script = join(root, '__test__', 'support', 'children', 'refresh.js')
  const args = ['--expose-gc', script, JSON.stringify(values)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`the measured process ended with ${signal ?? code}`))
    })
  })
}
