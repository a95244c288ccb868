'use strict'

const { spawn, spawnSync } = require('node:child_process')
const { mkdtempSync, rmSync } = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const { join } = require('node:path')

/** Starts a separate Redis server, or returns nothing if none is installed. */
async function startRedis() {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const directory = mkdtempSync(join(os.tmpdir(), 'oauth-rotor-bench-'))
  const port = await freePort()
  const options = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no' }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`redis-server ended with code ${code}.`)))
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk
      if (output.includes('Ready to accept connections')) resolve()
    })
  })
  const close = () =>
    new Promise((resolve) => {
      child.removeAllListeners('exit').once('exit', () => {
        rmSync(directory, { recursive: true, force: true })
        resolve()
      })
      child.kill()
    })
  return { port, close }
}

/** Finds a free port, because Redis does not accept port 0 as "any". */
function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

module.exports = { startRedis }
