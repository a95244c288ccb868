'use strict'

// A child process of managers.js: opens, closes or idles with many managers, and reports what that
// took.
//
//   node many-managers.js <what> <project that has the package> <token URL> <number of managers>

const { readFileSync, readdirSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')
const { setTimeout: pause } = require('node:timers/promises')

const [, , what, project, tokenUrl, number] = process.argv
const { TokenManager, fromFile, oauth2 } = createRequire(join(project, 'main.js'))('oauth-rotor')
const { CLIENT } = require('./client')
const { percentile } = require('./harness')

const count = Number(number)
const provider = oauth2({ tokenUrl, clientAuth: 'basic-raw' })
/** How long to wait until V8 has collected the garbage of the start. */
const REST_MS = 20_000
const IDLE_MS = 60_000
/** How many managers are opened and closed beside the others, and how often. */
const BATCH = 50
const BATCHES = 40

const open = (clientSecret = CLIENT.secret) =>
  new TokenManager({ provider, credentials: { clientId: CLIENT.id, clientSecret }, acquireTimeoutMs: 60_000 })

/**
 * Returns the CPU time of this thread in microseconds, or that of the process if the system has no
 * other.
 */
function threadMicros() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ', 1)) / 1000
  } catch {
    const { user, system } = process.cpuUsage()
    return user + system
  }
}

/** Returns how often our threads got a processor, and for how many milliseconds. */
function ourThreads() {
  const ours = { wakeUps: 0, cpuMs: 0 }
  for (const thread of readdirSync('/proc/self/task')) {
    const read = (file) => readFileSync(`/proc/self/task/${thread}/${file}`, 'latin1')
    try {
      if (read('comm').trim() !== 'oauth-rotor') continue
      ours.wakeUps += Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(read('status'))[1])
      ours.cpuMs += Number(read('schedstat').split(' ', 1)) / 1e6
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return ours
}

/** Opens a few at a time, because the server has one thread. */
async function fill(secret) {
  const managers = []
  while (managers.length < count) {
    const batch = Array.from({ length: Math.min(100, count - managers.length) }, () => open(secret))
    await Promise.all(batch.map((each) => each.ready()))
    managers.push(...batch)
  }
  return managers
}

const MEASUREMENTS = {
  /** Measures the microseconds for one more manager, and for one less. */
  async opening() {
    const others = await fill()
    const figures = { open: [], close: [] }
    for (let round = 0; round < BATCHES; round++) {
      let begin = threadMicros()
      const batch = Array.from({ length: BATCH }, () => open())
      figures.open.push((threadMicros() - begin) / BATCH)
      await Promise.all(batch.map((each) => each.ready()))
      await pause(10)
      begin = threadMicros()
      for (const each of batch) each.close()
      figures.close.push((threadMicros() - begin) / BATCH)
      await pause(10)
    }
    return { others: others.length, open: percentile(figures.open, 50), close: percentile(figures.close, 50) }
  },

  /** Measures the CPU time until each manager, with its own credential, has its first token. */
  async distinct() {
    const { user, system } = process.cpuUsage()
    await Promise.all(Array.from({ length: count }, (_, i) => open(`${CLIENT.secret} ${i}`).getToken()))
    const cpu = process.cpuUsage()
    return { cpuMs: (cpu.user + cpu.system - user - system) / 1000 }
  },

  /** Measures an idle minute. */
  async idle(secret) {
    const managers = await fill(secret)
    await pause(REST_MS)
    const [before, cpu] = [ourThreads(), process.cpuUsage()]
    await pause(IDLE_MS)
    const [after, { user, system }] = [ourThreads(), process.cpuUsage(cpu)]
    return {
      managers: managers.length,
      wakeUps: after.wakeUps - before.wakeUps,
      cpuMs: after.cpuMs - before.cpuMs,
      processMs: (user + system) / 1000,
    }
  },

  idleWithFile() {
    const file = join(project, 'secret')
    writeFileSync(file, CLIENT.secret)
    return MEASUREMENTS.idle(fromFile(file))
  },
}

MEASUREMENTS[what]().then((figures) => {
  process.stdout.write(JSON.stringify(figures), () => process.exit())
})
