'use strict'

// Logs what a manager reports, each at its level, with pino or any logger with the same methods.
//
//   const pino = require('pino')
//   const { logEvents, logProblems } = require('./logging')
//
//   const log = pino()
//   logEvents(tokens, log)
//   setInterval(logProblems(tokens, log), 15_000).unref()
//
// error: act now. warn: act today. info and debug: for reading later. docs/alerts.md says what to
// do.

/** The levels of the event `rotation`, by its `change`. */
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

/** The levels of the events, as functions of their payloads. */
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

/** The levels of the problems of `health()`, by their `code`. */
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

/**
 * Logs each event with its details, so that the line can be found. An event never holds a secret.
 */
function logEvents(tokens, log) {
  for (const [name, level] of Object.entries(EVENTS)) {
    tokens.on(name, ({ message = name, error, ...details }) => {
      // pino's name for an error is `err`. It shows the code, the cause and what the endpoint said.
      log[level(details)]({ event: name, ...details, ...(error && { err: error }) }, message)
    })
  }
}

/** Returns a function that logs each problem once when it has begun, and once when it is over. */
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
