// npm run release:build: builds the addon as it is published for this platform, checks it and packs
// it into target/packages.
//
// On Linux with glibc it is linked by zig, so that it loads wherever glibc is 2.17 or later,
// whatever version this machine has.

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { remap, tellTales } from './support/build-paths.mjs'
import { getToken, inFreshProject } from './support/fresh-project.mjs'
import { isOptimizedAsAWhole } from './support/lto.mjs'
import { nodeProgram } from './support/nodes.mjs'
import { pack } from './support/packages.mjs'
import { NAMED, bin, cargoEnvironment, install, requireCargo, root, step } from './support/steps.mjs'

const GLIBC = '2.17'
/**
 * The first and the last version of Node.js that the addon has to load in, besides the one that
 * runs this. They need glibc. The versions are exact, so that what runs beside the published files
 * never changes by itself.
 */
const NODES = ['20.3.0', '26.12.1']

requireCargo()
await install()
const host = cargoEnvironment().CARGO_BUILD_TARGET
const isGnu = host.endsWith('-linux-gnu')
const begin = performance.now()
const addon = await build(join(root, 'target', 'release-addon'))
const seconds = Math.round((performance.now() - begin) / 1000)
checkPaths(addon)
const glibc = isGnu ? checkGlibc(addon) : 'none'
const packages = join(root, 'target', 'packages')
rmSync(packages, { recursive: true, force: true })
const tarballs = pack({ from: dirname(addon), to: packages })
console.log('> Installing both tarballs in a fresh project')
await inFreshProject(Object.values(tarballs), ['--offline'], async (directory) => {
  await getToken(directory)
  for (const version of isGnu ? NODES : []) await getToken(directory, await nodeProgram(version))
})
console.log(`${addon}: ${statSync(addon).size} bytes, needs glibc ${glibc}, built in ${seconds} s`)
for (const file of Object.values(tarballs)) console.log(`${file}: ${statSync(file).size} bytes`)

/** Builds into a directory of its own, so that the addon of the checkout stays unchanged. */
async function build(directory) {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const cross = isGnu ? ['--cross-compile', '--target', `${host}.${GLIBC}`] : ['--target', host]
  const env = { RUSTFLAGS: [process.env.RUSTFLAGS, ...remap()].filter(Boolean).join(' ') }
  if (isGnu) env.PATH = [await zig(), process.env.PATH].join(delimiter)
  // Otherwise, cargo would not compile what it has compiled before, and would print no flags.
  const clean = ['clean', '--release', '--package', 'oauth-rotor', '--target', host]
  await step('Removing what was built before', 'cargo', clean)
  const cargo = ['--', '--locked', '--verbose']
  const args = ['build', '--release', ...cross, ...NAMED, '--output-dir', directory, ...cargo]
  const output = await step('Building the addon for release (minutes)', bin('napi'), args, { env })
  if (!isOptimizedAsAWhole(output)) throw new Error('cargo did not pass `-C lto` for the addon.')
  const [file] = readdirSync(directory).filter((name) => name.endsWith('.node'))
  return join(directory, file)
}

/**
 * Installs zig and cargo-zigbuild from PyPI, checked by their hashes. Returns the directory of both
 * programs.
 */
async function zig() {
  const requirements = join(root, 'scripts', 'support', 'zig-requirements.txt')
  const directory = join(root, 'target', 'zig')
  const programs = join(directory, 'bin')
  const done = join(directory, 'installed.txt')
  if (!existsSync(done) || !readFileSync(done).equals(readFileSync(requirements))) {
    rmSync(directory, { recursive: true, force: true })
    await step('Making a Python environment for zig', 'python3', ['-m', 'venv', directory])
    const args = ['install', '--quiet', '--require-hashes', '--requirement', requirements]
    await step('Installing zig', join(programs, 'pip'), args)
    copyFileSync(requirements, done)
  }
  return programs
}

function checkPaths(file) {
  const found = tellTales(readFileSync(file))
  if (found.length === 0) return
  throw new Error(
    `${file} tells where it was built:\n${found.map((text) => JSON.stringify(text)).join('\n')}`,
  )
}

/** Checks the latest version of glibc that a symbol needs. */
function checkGlibc(file) {
  const { stdout } = spawnSync('readelf', ['--version-info', '--wide', file], { encoding: 'utf8' })
  const versions = [...stdout.matchAll(/\bGLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [+major, +minor])
  if (versions.length === 0) throw new Error(`readelf found no versions of glibc in ${file}`)
  const [major, minor] = versions.reduce((a, b) => ((a[0] - b[0] || a[1] - b[1]) > 0 ? a : b))
  const [, most] = GLIBC.split('.')
  if (major !== 2 || minor > Number(most))
    throw new Error(`${file} needs glibc ${major}.${minor}, not ${GLIBC}`)
  return `${major}.${minor}`
}
