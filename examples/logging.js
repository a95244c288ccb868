'use strict'

// Logs what a manager tells at the level that it deserves, with pino or any logger of its kind.
//
//   const pino = require('pino')
//   const { logEvents, logProblems } = require('./logging')
//
//   const log = pino()
//   logEvents(tokens, log)
//   setInterval(logProblems(tokens, log), 15_000).unref()
//
// error: see to it now. warn: see to it today. info and debug: for reading later. docs/alerts.md says what to do.

/** By the `change` of the event `rotation`. */
const CHANGES = {
  started: 'info',
  prepared: 'info',
  'preparation-ended': 'info',
  staged: 'info',
  promoted: 'info',
  retired: 'info',
  'rolled-back': 'info',
  recovered: 'info',
  'candidate-withdrawn': 'warn',
  'candidate-rejected': 'warn',
  'awaiting-proof': 'warn',
  overdue: 'warn',
  'compromised-ignored': 'warn',
  'awaiting-custody': 'error',
  'not-persisted': 'error',
  substituted: 'error',
  'fell-back': 'error',
  abandoned: 'error',
  degraded: 'error',
}

/** By event; what depends on its payload is a function of that. */
const EVENTS = {
  token: () => 'debug',
  'token-retired': () => 'debug',
  'invalidate-ignored': () => 'debug',
  'credential-rejected': () => 'warn',
  'refresh-failed': ({ runwayMs }) => (runwayMs === 0 ? 'error' : 'warn'),
  source: ({ change }) => (change === 'changed' ? 'info' : 'warn'),
  rotation: ({ change }) => CHANGES[change],
  persisted: ({ outcome }) => ({ done: 'info', failed: 'warn', impossible: 'error' })[outcome],
  'credential-expiring': ({ daysLeft }) => ({ 30: 'info', 7: 'warn' })[daysLeft] ?? 'error',
  'thread-restarted': () => 'error',
}

/** By the `code` of a problem of `health()`. */
const PROBLEMS = {
  'thread-stalled': 'error',
  'no-token': 'error',
  'tokens-refused': 'error',
  degraded: 'error',
  'refresh-failing': 'warn',
  'credential-rejected': 'warn',
  'source-unreadable': 'warn',
  'source-empty': 'warn',
  'source-throttled': 'warn',
  'persist-failing': 'warn',
  'persist-impossible': 'error',
  'not-persisted': 'error',
  'awaiting-proof': 'warn',
  'awaiting-custody': 'error',
  'awaiting-members': 'warn',
  'awaiting-sinks': 'warn',
  'credential-expiring': 'error',
  'credential-expired': 'error',
}

/** What else a log line needs in order to be found: never a secret, an event has none. */
function logEvents(tokens, log) {
  for (const [name, level] of Object.entries(EVENTS)) {
    tokens.on(name, ({ message = name, error, ...details }) => {
      // `err` is what pino calls an error. Of ours it shows the code, the cause and what the endpoint said.
      log[level(details)]({ event: name, ...details, ...(error && { err: error }) }, message)
    })
  }
}

/** A function that logs each problem once when it has begun, and once when it is over. */
function logProblems(tokens, log) {
  let known = new Map()
  return () => {
    const { problems } = tokens.health()
    const current = new Map(
      problems.map((problem) => [`${problem.code} ${problem.since.getTime()}`, problem]),
    )
    for (const [key, { message, ...details }] of current) {
      if (!known.has(key)) log[PROBLEMS[details.code]](details, message)
    }
    for (const [key, { code }] of known) {
      if (!current.has(key)) log.info({ code }, `Over: ${code}`)
    }
    known = current
  }
}

module.exports = { CHANGES, EVENTS, PROBLEMS, logEvents, logProblems }
