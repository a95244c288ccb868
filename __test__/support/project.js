'use strict'

const { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { start } = require('./process')

const made = []

/** A directory that the end of the tests removes. */
function temporaryDirectory() {
  const directory = mkdtempSync(path.join(tmpdir(), 'oauth-rotor-test-'))
  made.push(directory)
  return directory
}

function removeDirectories() {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
}

/** A project of a user's, in a directory of its own, with these files. */
function createProject(files) {
  const directory = temporaryDirectory()
  write(directory, 'package.json', JSON.stringify({ name: 'project', private: true }))
  for (const [name, text] of Object.entries(files)) write(directory, name, text)
  return directory
}

function write(directory, name, text) {
  const file = path.join(directory, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/**
 * Packs the addon that was built last as it would be published; resolves with both tarballs' paths.
 */
async function pack() {
  const script = path.join(__dirname, '..', '..', 'scripts', 'pack.mjs')
  const { code, output } = await node([script, '--to', temporaryDirectory()])
  if (code !== 0) throw new Error(output)
  return JSON.parse(output)
}

/** Installs tarballs as a user would, but for the network and the user's cache. */
async function install(directory, tarballs, options = []) {
  const args = ['install', '--offline', '--no-audit', '--no-fund', ...options, ...tarballs]
  const cache = path.join(directory, '.npm-cache')
  const { code, output } = await run('npm', args, { cwd: directory, env: { npm_config_cache: cache } })
  if (code !== 0) throw new Error(output)
}

/** Has a project use a development dependency of ours as if it were installed there. */
function link(directory, name) {
  const place = path.join(directory, 'node_modules', name)
  mkdirSync(path.dirname(place), { recursive: true })
  symlinkSync(path.dirname(require.resolve(`${name}/package.json`)), place, 'junction')
}

/** Runs a program to its end; resolves with its exit code and all that it printed. */
async function run(command, args, options) {
  const { code, stdout, stderr } = await start(command, args, options).ended
  return { code, output: stdout + stderr }
}

/** The same for a script of Node's. */
const node = (args, options) => run(process.execPath, args, options)

module.exports = {
  createProject,
  install,
  link,
  node,
  pack,
  removeDirectories,
  run,
  temporaryDirectory,
  write,
}
