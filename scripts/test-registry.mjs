// npm run test:registry: publishes the packages of `npm run release:build` to its own registry on
// this machine, and installs them by name, as users do.

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getToken, inFreshProject } from './support/fresh-project.mjs'
import { root, run, step } from './support/steps.mjs'

const packages = join(root, 'target', 'packages')
if (!existsSync(packages)) {
  console.log(`There is nothing in ${packages}: run npm run release:build first.`)
  process.exit(1)
}
const directory = mkdtempSync(join(tmpdir(), 'oauth-rotor-registry-'))
let registry
try {
  const tarballs = readdirSync(packages).filter((name) => name.endsWith('.tgz'))
  await installVerdaccio()
  const port = await freePort()
  registry = await startVerdaccio(port)
  const url = `http://127.0.0.1:${port}/`
  const npmrc = join(directory, '.npmrc')
  writeFileSync(npmrc, `registry=${url}\n//127.0.0.1:${port}/:_authToken=none\n`)
  const options = [`--userconfig=${npmrc}`, `--cache=${join(directory, 'cache')}`]
  for (const name of tarballs) {
    await step(`Publishing ${name}`, 'npm', ['publish', ...options, join(packages, name)])
  }
  console.log('> Installing oauth-rotor by its name')
  await inFreshProject(['oauth-rotor'], options, getToken)
} finally {
  registry?.kill()
  rmSync(directory, { recursive: true, force: true })
}

async function installVerdaccio() {
  // A dependency asks for a tag of node-fetch that not every registry serves.
  const manifest = { private: true, dependencies: { verdaccio: '6' }, overrides: { 'node-fetch': '2.7.0' } }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  const args = ['install', '--no-audit', '--no-fund', '--prefix', directory]
  await step('Installing verdaccio', 'npm', args)
}

/**
 * Starts a registry that holds our packages itself and takes all others from the registry that npm
 * is set to.
 */
async function startVerdaccio(port) {
  const { output } = await run('npm', ['config', 'get', 'registry'], { quiet: true })
  const config = `
storage: ${join(directory, 'storage')}
uplinks: { up: { url: '${output.trim()}' } }
packages:
  'oauth-rotor*': { access: $all, publish: $all }
  '**': { access: $all, proxy: up }
log: { type: stdout, level: http }
`
  writeFileSync(join(directory, 'config.yaml'), config)
  const program = join(directory, 'node_modules', 'verdaccio', 'bin', 'verdaccio')
  const args = [program, '--config', join(directory, 'config.yaml'), '--listen', `127.0.0.1:${port}`]
  const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`verdaccio ended with ${code}`)))
    child.stdout.setEncoding('utf8').on('data', (text) => text.includes('http address') && resolve())
  })
  return child
}

/** verdaccio cannot choose a port by itself. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
