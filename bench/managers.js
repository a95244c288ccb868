'use strict'

// What many managers cost one process: to open and close one more, to get first tokens, and to be
// idle.

const { execFile } = require('node:child_process')
const { createServer } = require('node:http')
const { join } = require('node:path')
const { promisify } = require('node:util')

const run = promisify(execFile)

const COUNTS = [1, 1000, 20_000]
const MOST = { openMicros: 60, closeMicros: 30, distinctMs: 1000, wakeUps: 2, idleMs: 20 }

/** Answers every request with a token, since a thousand credentials are a thousand clients. */
async function startServer() {
  const body = JSON.stringify({ access_token: 't'.repeat(86), token_type: 'bearer', expires_in: 86_399 })
  const server = createServer((request, response) => request.resume().on('end', () => response.end(body)))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', 4096, resolve))
  return { tokenUrl: `http://127.0.0.1:${server.address().port}/token`, close: () => server.close() }
}

/** Returns the targets. Only Linux reports wake-ups. */
async function managers(results, project) {
  const server = await startServer()
  const measure = async (what, count) => {
    const args = [
      join(__dirname, 'many-managers.js'),
      what,
      project.directory,
      server.tokenUrl,
      String(count),
    ]
    return JSON.parse((await run(process.execPath, args)).stdout)
  }
  results.section('Many managers in one process')
  const opening = []
  for (const count of COUNTS) opening.push(await measure('opening', count))
  results.say(
    'The cost of one more manager and of one less, beside the given number of managers that hold a token: CPU time of ' +
      'the calling thread, medians of 40 batches of 50.',
  )
  results.table([
    ['Managers', 'µs to open', 'µs to close'],
    ...opening.map(({ others, open, close }) => [String(others), open.toFixed(1), close.toFixed(1)]),
  ])
  const { cpuMs } = await measure('distinct', 1000)
  results.say(
    `1,000 managers with a credential each had their first tokens after ${cpuMs.toFixed(0)} ms of CPU time, ` +
      'including opening and requests.',
  )
  const targets = [
    target(
      'Open a manager, at the worst of these',
      Math.max(...opening.map((it) => it.open)),
      MOST.openMicros,
      'µs',
    ),
    target('Close one', Math.max(...opening.map((it) => it.close)), MOST.closeMicros, 'µs'),
    target('First tokens of 1,000 credentials, CPU', cpuMs, MOST.distinctMs, 'ms'),
  ]
  if (process.platform === 'linux') targets.push(...(await idleMinutes(results, measure)))
  server.close()
  return targets
}

async function idleMinutes(results, measure) {
  const [one, thousand, files] = await Promise.all([
    measure('idle', 1),
    measure('idle', 1000),
    measure('idleWithFile', 100),
  ])
  results.say(
    'A minute in which nothing happens: how often our threads wake up, their CPU time, and that of the whole process, ' +
      'including V8. `sourcePollMs` is 10 s.',
  )
  const row = (title, { wakeUps, cpuMs, processMs }) => [
    title,
    String(wakeUps),
    ...[cpuMs, processMs].map((value) => value.toFixed(1)),
  ]
  results.table([
    ['Managers', 'Wake-ups', 'CPU ms', 'Process ms'],
    row('1', one),
    row('1000', thousand),
    row('100, whose secret is in one file', files),
  ])
  return [
    target('Wake-ups in an idle minute, 1 manager', one.wakeUps, MOST.wakeUps, ''),
    target('Wake-ups in an idle minute, 1,000 managers', thousand.wakeUps, MOST.wakeUps, ''),
    target('CPU time of our threads in that minute', thousand.cpuMs, MOST.idleMs, 'ms'),
  ]
}

function target(name, measured, most, unit) {
  return {
    name,
    target: `≤ ${most} ${unit}`.trim(),
    measured: `${Number.isInteger(measured) ? measured : measured.toFixed(1)} ${unit}`.trim(),
    isReached: measured <= most,
  }
}

module.exports = { managers }
