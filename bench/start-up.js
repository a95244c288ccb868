'use strict'

// What a fresh process takes to its first token, and the memory it has then.

const { execFileSync } = require('node:child_process')
const { readdirSync, statSync } = require('node:fs')
const { join } = require('node:path')
const { percentile } = require('./harness')
const { installPackage } = require('./installed-package')
const peers = require('./peers')

const ROUNDS = 21
const FASTER = 10
const SMALLER = 5
const LARGEST_MB = 3.8

async function startUp(results, { server, redis }) {
  const names = ['none', 'oauth-rotor', 'axios', ...(redis ? ['axios + ioredis'] : [])]
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  const project = installPackage()
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) samples[name].push(firstToken(name, server, project, redis))
  }
  project.remove()
  const median = (name, figure) =>
    percentile(
      samples[name].map((sample) => sample[figure]),
      50,
    )
  const bare = median('none', 'rss')
  const [, ...rows] = names.map((name) => ({
    name,
    wallMs: median(name, 'wallMs'),
    cpuMs: median(name, 'cpuMs'),
    megabytes: (median(name, 'rss') - bare) / 1e6,
  }))

  results.section('What a fresh process takes to its first token')
  results.say(
    'From the first `require` of the installed package to the first token, in child processes in turns, medians of ' +
      `${ROUNDS}; memory is resident memory beyond that of Node.js alone (${(bare / 1e6).toFixed(0)} MB). ` +
      'With ioredis it connects and stores the token; oauth-rotor here is without Redis.',
  )
  results.table([
    ['Client', 'ms', 'CPU ms', 'MB'],
    ...rows.map(({ name, wallMs, cpuMs, megabytes }) => [
      name
        .split(' + ')
        .map((each) => (each === 'oauth-rotor' ? each : peers.title(each)))
        .join(' + '),
      ...[wallMs, cpuMs, megabytes].map((value) => value.toFixed(1)),
    ]),
  ])
  const targets = [addonTarget()]
  if (redis) targets.push(...comparison(rows[0], rows.at(-1)))
  return targets
}

function firstToken(name, server, { directory }, redis) {
  const args = [join(__dirname, 'first-token.js'), name, server.tokenUrl, directory, String(redis?.port)]
  // A machine's own additions to the certificates are read besides the system's, and are no part of this.
  const env = { ...process.env }
  for (const name of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'SSL_CERT_DIR', 'SSL_CERT_FILE'])
    delete env[name]
  return JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' }))
}

function comparison(ours, theirs) {
  const faster = theirs.wallMs / ours.wallMs
  const smaller = theirs.megabytes / ours.megabytes
  return [
    {
      name: 'First token in a fresh process, axios + ioredis against ours',
      target: `≥ ${FASTER} x`,
      measured: `${faster.toFixed(1)} x`,
      isReached: faster >= FASTER,
      reason:
        'two thirds of ours is the native part, from loading it to its first request; in CPU time it is ' +
        `${(theirs.cpuMs / ours.cpuMs).toFixed(1)} x, as V8 does a part of theirs on other threads`,
    },
    {
      name: 'Memory then, axios + ioredis against ours',
      target: `≥ ${SMALLER} x`,
      measured: `${smaller.toFixed(1)} x`,
      isReached: smaller >= SMALLER,
      reason: 'a part of ours is the file of the addon itself: its TLS and its HTTP client',
    },
  ]
}

function addonTarget() {
  const root = join(__dirname, '..')
  const [file] = readdirSync(root).filter((name) => name.endsWith('.node'))
  const megabytes = statSync(join(root, file)).size / 1e6
  return {
    name: `Size of \`${file}\``,
    target: `≤ ${LARGEST_MB} MB`,
    measured: `${megabytes.toFixed(2)} MB`,
    isReached: megabytes <= LARGEST_MB,
  }
}

module.exports = { startUp }
