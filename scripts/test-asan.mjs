// npm run test:asan: the addon under AddressSanitizer, on Linux with GCC: ten million calls and
// twenty thousand refreshes, workers that are terminated meanwhile, and calls at random. It is not
// part of npm test: it takes minutes.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { measured } from './support/children.mjs'
import { NAMED, bin, cargoEnvironment, install, requireCargo, root, step } from './support/steps.mjs'

const { forkServer } = createRequire(import.meta.url)('../demo/server.js')

const MANAGERS = 50
const REFRESHES = 20_000
const CALLS = 10_000_000
/** The workers, besides the 50 of a warm-up. */
const WORKERS = 200
const WILD_CALLS = 60_000
const SEED = Number(process.env.WILD_SEED ?? Math.floor(Math.random() * 2 ** 31))
const NAMES = Array.from({ length: 20 }, (_, index) => `shared ${index}`)
/** Tokens are replaced after about 220 ms; the server reports a second less than this. */
const LIFETIME_MS = 1300

requireCargo()
await install()
const directory = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'asan')
const checkout = join(directory, 'checkout')
copyCheckout()
await buildWithSanitizer()

const reports = join(directory, 'reports')
rmSync(reports, { recursive: true, force: true })
mkdirSync(reports)
const env = {
  // Node.js itself keeps memory until it exits.
  ASAN_OPTIONS: `detect_leaks=0:log_path=${join(reports, 'report')}`,
  LD_PRELOAD: execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim(),
}
const server = await forkServer({ lifetimeMs: LIFETIME_MS })
const { tokenUrl } = server
const begin = performance.now()
const runs = [
  measured(
    'refresh.js',
    { tokenUrl, managers: MANAGERS, warmUp: 0, refreshes: REFRESHES, calls: CALLS },
    { checkout, flags: ['--expose-gc'], env },
  ),
  measured('terminate.js', { tokenUrl, rounds: WORKERS, names: NAMES }, { checkout, env }),
  measured('wild-calls.js', { tokenUrl, seed: SEED, calls: WILD_CALLS, secret: 'secret' }, { checkout, env }),
]
const [work, workers, wild] = await Promise.allSettled(runs)
const seconds = ((performance.now() - begin) / 1000).toFixed(0)
await server.close()

const found = readdirSync(reports)
for (const file of found) console.log(readFileSync(join(reports, file), 'utf8'))
for (const { reason } of [work, workers, wild]) if (reason) console.log(reason.message)
const isClean = found.length === 0 && !work.reason && !workers.reason && !wild.reason
if (isClean) {
  const { calls, refreshed } = work.value
  console.log(`${calls} calls of getToken and ${refreshed} refreshes by ${MANAGERS} managers in ${seconds} s`)
  console.log(`${WORKERS} workers terminated during ${workers.value.published} refreshes`)
  console.log(`${wild.value.calls} calls at random, seed ${SEED}`)
}
console.log(`reports: ${found.length}`)
process.exit(isClean ? 0 : 1)

/**
 * The loader of a checkout takes only the addon beside its package.json, so the instrumented addon
 * gets a checkout of its own.
 */
function copyCheckout() {
  rmSync(checkout, { recursive: true, force: true })
  for (const name of ['package.json', 'index.js', 'lib', 'demo', join('__test__', 'support')]) {
    cpSync(join(root, name), join(checkout, name), { recursive: true })
  }
}

async function buildWithSanitizer() {
  const { CARGO_BUILD_TARGET: target } = cargoEnvironment()
  const args = ['--target', target, '--target-dir', directory, '--output-dir', checkout]
  await step('Building the addon with AddressSanitizer', bin('napi'), ['build', ...NAMED, ...args], {
    env: {
      // The sanitizer is not stable in rustc, but ships with it. Its runtime here is that of GCC.
      RUSTC_BOOTSTRAP: '1',
      RUSTFLAGS: '-Zsanitizer=address -Zexternal-clangrt',
      // Also for the C code of dependencies.
      [`CFLAGS_${target.replaceAll('-', '_')}`]: '-fsanitize=address',
      CARGO_PROFILE_DEV_OPT_LEVEL: '1',
    },
  })
  const [name] = readdirSync(checkout).filter((file) => file.endsWith('.node'))
  const file = join(checkout, name)
  if (!readFileSync(file).includes('__asan_report_load')) throw new Error(`${file} is not instrumented`)
}
