'use strict'

const { spawnSync } = require('node:child_process')
const { cpSync, mkdirSync, symlinkSync } = require('node:fs')
const path = require('node:path')

const ROOT = path.join(__dirname, '..', '..')
const EXAMPLE = path.join(ROOT, 'examples', 'service')

/**
 * Copies examples/service into a directory, as a user would, and compiles it there. What npm would
 * install is a link to what this project has.
 */
function createProject(directory) {
  cpSync(EXAMPLE, directory, { recursive: true })
  const { dependencies, devDependencies } = require(path.join(EXAMPLE, 'package.json'))
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const place = path.join(directory, 'node_modules', name)
    mkdirSync(path.dirname(place), { recursive: true })
    const target = name === 'oauth-rotor' ? ROOT : path.join(ROOT, 'node_modules', name)
    symlinkSync(target, place, 'junction')
  }
  // Not bin/tsc: an ES module without an extension is nothing that Node.js 20.3 loads.
  const tsc = path.join(ROOT, 'node_modules', 'typescript', 'lib', 'tsc.js')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`examples/service does not compile:\n${stdout}`)
}

module.exports = { createProject }
