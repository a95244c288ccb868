'use strict'

// What a fresh process needs until its first token, and the memory that it and a worker have then.

const { execFileSync } = require('node:child_process')
const { mkdirSync, readdirSync, statSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { percentile } = require('./harness')
const peers = require('./peers')

const ROUNDS = 21
const WORKER_ROUNDS = 7
const LEAST_FACTOR = { start: 10, memory: 5 }
const MOST_MB = { memory: 5.7, dirty: 2.6, worker: 0.4, addon: 3.8 }

async function startUp(results, project, { server, redis }) {
  const names = ['none', 'oauth-rotor', 'axios', ...(redis ? ['axios + ioredis'] : [])]
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  // Pages of a file that was just copied count as private until they are written to disk.
  if (process.platform === 'linux') execFileSync('sync')
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) samples[name].push(firstToken(process.execPath, name, server, project, redis))
  }
  const median = (name, figure) => medianOf(samples[name].map((sample) => sample[figure]))
  const bare = median('none', 'rss')
  const [, ...rows] = names.map((name) => ({
    name,
    wallMs: median(name, 'wallMs'),
    cpuMs: median(name, 'cpuMs'),
    megabytes: (median(name, 'rss') - bare) / 1e6,
    dirty: (median(name, 'dirty') - median('none', 'dirty')) / 1e6,
  }))
  const worker = workerMegabytes(server, project)

  results.section('What a fresh process takes to its first token')
  results.say(
    'From the first `require` of the installed package to the first token, in child processes in turns, medians of ' +
      `${ROUNDS}. Memory is resident memory in addition to that of Node.js alone (${(bare / 1e6).toFixed(0)} MB); private ` +
      'memory is the part of it that is private and was written to. With ioredis, the process also connects and stores ' +
      'the token; oauth-rotor runs without Redis here.',
  )
  results.table([
    ['Client', 'ms', 'CPU ms', 'MB', 'private MB'],
    ...rows.map(({ name, wallMs, cpuMs, megabytes, dirty }) => [
      name
        .split(' + ')
        .map((each) => (each === 'oauth-rotor' ? each : peers.title(each)))
        .join(' + '),
      ...[wallMs, cpuMs, megabytes, dirty].map((value) => value.toFixed(1)),
    ]),
  ])
  results.say(
    `A worker with a manager that holds a token has ${worker.ours.toFixed(2)} MB more private memory than a worker that does ` +
      `nothing (the mean of 8, medians of ${WORKER_ROUNDS}). A worker that requires an empty package has ` +
      `${worker.empty.toFixed(2)} MB more, which Node.js needs to look into the \`exports\` of any package.`,
  )
  const [ours] = rows
  const targets = [
    most(`Size of \`${addon().file}\``, addon().megabytes, MOST_MB.addon),
    most('Memory at the first token', ours.megabytes, MOST_MB.memory),
    most('Private memory then', ours.dirty, MOST_MB.dirty),
    {
      ...most('A worker with a manager, beyond a bare one', worker.ours, MOST_MB.worker),
      reason: `a worker that only requires an empty package takes ${worker.empty.toFixed(2)} MB of it`,
    },
  ]
  if (redis) targets.push(...comparison(ours, rows.at(-1)))
  return targets
}

function medianOf(values) {
  return percentile(values, 50)
}

/** Returns what a child process with that client reports about its first token. */
function firstToken(node, name, server, { directory }, redis) {
  return child(node, 'first-token.js', [name, server.tokenUrl, directory, String(redis?.port)])
}

/**
 * Measures how much more a worker takes than one that does nothing: with an empty package, and with
 * ours.
 */
function workerMegabytes(server, { directory }) {
  const empty = join(directory, 'node_modules', 'empty-package')
  mkdirSync(empty)
  writeFileSync(
    join(empty, 'package.json'),
    JSON.stringify({ name: 'empty-package', exports: { '.': './index.js' } }),
  )
  writeFileSync(join(empty, 'index.js'), '')
  const bytes = (client) =>
    child(process.execPath, 'worker-memory.js', [client, server.tokenUrl, directory]).bytes
  const rounds = Array.from({ length: WORKER_ROUNDS }, () => {
    const bare = bytes('bare')
    return { empty: bytes('empty-package') - bare, ours: bytes('oauth-rotor') - bare }
  })
  return {
    empty: medianOf(rounds.map(({ empty }) => empty)) / 1e6,
    ours: medianOf(rounds.map(({ ours }) => ours)) / 1e6,
  }
}

function child(node, script, args) {
  // Certificates that a machine adds to the system's take time to read, and are not measured.
  const env = { ...process.env }
  for (const name of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'SSL_CERT_DIR', 'SSL_CERT_FILE'])
    delete env[name]
  return JSON.parse(execFileSync(node, [join(__dirname, script), ...args], { env, encoding: 'utf8' }))
}

function comparison(ours, theirs) {
  const factor = (name, measured, least, reason) => ({
    name: `${name}, axios + ioredis against ours`,
    target: `≥ ${least} x`,
    measured: `${measured.toFixed(1)} x`,
    isReached: measured >= least,
    reason,
  })
  return [
    factor(
      'First token in a fresh process',
      theirs.wallMs / ours.wallMs,
      LEAST_FACTOR.start,
      'Node.js needs half of our time to find and compile any package, and to load any addon',
    ),
    factor('CPU time to it', theirs.cpuMs / ours.cpuMs, LEAST_FACTOR.start),
    factor(
      'Memory then',
      theirs.megabytes / ours.megabytes,
      LEAST_FACTOR.memory,
      "two thirds of our memory are pages of files, the addon's and Node.js' own, which all processes share",
    ),
  ]
}

function most(name, megabytes, limit) {
  return {
    name,
    target: `≤ ${limit} MB`,
    measured: `${megabytes.toFixed(2)} MB`,
    isReached: megabytes <= limit,
  }
}

function addon() {
  const root = join(__dirname, '..')
  const [file] = readdirSync(root).filter((name) => name.endsWith('.node'))
  return { file, megabytes: statSync(join(root, file)).size / 1e6 }
}

module.exports = { firstToken, startUp }
