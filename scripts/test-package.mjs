// npm run test:package [-- rotat]: the Jest suite on the packages as they would be published, with
// a debug build.
//
// It runs in a copy of the checkout. The entries of the copy lead to the installed package. Its
// lib/, which tests of internals require, leads to the installed native part.

import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { ENTRIES } from './support/bundle.mjs'
import { pack } from './support/packages.mjs'
import { bin, build, install, requireCargo, root, run, step } from './support/steps.mjs'

/** Tests that pack and install the package themselves. `npm test` runs them. */
const PACKING = ['bundle', 'native-part', 'package', 'planted-native-part']

requireCargo()
await install()
await build({ release: false })
const directory = mkdtempSync(join(tmpdir(), 'oauth-rotor-installed-'))
let isWell
try {
  await installPackages()
  copyCheckout()
  isWell = await test(process.argv.slice(2))
} finally {
  rmSync(directory, { recursive: true })
}
process.exit(isWell ? 0 : 1)

/** Both packages from their tarballs, and what the tests need from the checkout. */
async function installPackages() {
  const tarballs = Object.values(pack({ to: join(directory, 'tarballs') }))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'project', private: true }))
  const options = ['--offline', '--no-audit', '--no-fund', '--prefix', directory]
  await step('Installing the packages', 'npm', ['install', ...options, ...tarballs])
  const modules = join(root, 'node_modules')
  for (const name of readdirSync(modules)) {
    if (name === '.package-lock.json') continue
    symlinkSync(join(modules, name), join(directory, 'node_modules', name), 'junction')
  }
}

function copyCheckout() {
  const left = new Set(['.git', 'node_modules', 'target'])
  cpSync(root, directory, {
    recursive: true,
    filter: (file) => !left.has(basename(file)) && !file.endsWith('.node'),
  })
  for (const [module, file] of ENTRIES) lead(module, `oauth-rotor/${file}`)
  const [addon] = readdirSync(root).filter((name) => name.endsWith('.node'))
  const [binary, platform] = addon.split('.')
  lead('lib/native/load.js', `${binary}-${platform}/${addon}`)
}

/** Makes a module of the copy export a file of an installed package. */
function lead(module, file) {
  const place = join(directory, module)
  const target = relative(join(place, '..'), join(directory, 'node_modules', file)).replaceAll('\\', '/')
  writeFileSync(
    place,
    `'use strict'\n\nmodule.exports = require('${target.startsWith('.') ? target : `./${target}`}')\n`,
  )
}

/** Prints the counts and each failure. Returns whether all passed and none was skipped. */
async function test(patterns) {
  const file = join(directory, 'results.json')
  const ignored = PACKING.map((name) => `/__test__/${name}\\.test\\.js$`)
  const args = ['--expose-gc', bin('jest'), '--json', `--outputFile=${file}`, ...patterns]
  args.push('--testPathIgnorePatterns', '/node_modules/', ...ignored)
  console.log('> Jest with the installed packages')
  const { code, output } = await run(process.execPath, args, { cwd: directory, quiet: true })
  let result
  try {
    result = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    console.log(`Jest ended with ${code}:\n${output}`)
    return false
  }
  for (const { message } of result.testResults) if (message) console.log(message)
  const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = result
  console.log(
    `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped, ${numRuntimeErrorTestSuites} files ` +
      `that did not run; not run here, as they install the package by themselves: ${PACKING.join(', ')}`,
  )
  return code === 0 && numPendingTests === 0
}
