'use strict'

// The package as its users have it: packed with the latest addon, and installed in its own
// directory.

const { execFileSync } = require('node:child_process')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

/** Installs the package. Returns the directory of its project, and a function that removes it. */
function installPackage() {
  const directory = mkdtempSync(join(tmpdir(), 'oauth-rotor-bench-'))
  const pack = [join(__dirname, '..', 'scripts', 'pack.mjs'), '--to', directory]
  const tarballs = Object.values(JSON.parse(execFileSync(process.execPath, pack, { encoding: 'utf8' })))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'project', private: true }))
  const install = ['install', '--offline', '--no-audit', '--no-fund', '--silent', ...tarballs]
  execFileSync('npm', install, { cwd: directory })
  return { directory, remove: () => rmSync(directory, { recursive: true }) }
}

module.exports = { installPackage }
