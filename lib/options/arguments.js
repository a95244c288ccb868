'use strict'

const { isAbortSignal } = require('../abort')
const { InvalidArgumentError } = require('../errors')
const { captureFrames } = require('../stacks')
const { instantOf } = require('./instants')
const { closest, copyOfObject, describe, describeHidden, describeName, isArray } = require('./values')

const EVENTS = [
  'token',
  'token-retired',
  'credential-rejected',
  'refresh-failed',
  'invalidate-ignored',
  'source',
  'rotation',
  'persisted',
  'credential-expiring',
  'thread-restarted',
]

/** The events of a webhook signer. */
const KEY_EVENTS = ['key-added', 'key-retired', 'key-unreadable']

const MILESTONES = ['everywhere', 'persisted', 'retired']

const CHECKS = {
  minValidityMs: {
    takes: 'a number of milliseconds from 0',
    fits: (value) => Number.isFinite(value) && value >= 0,
  },
  timeoutMs: {
    takes: 'a whole number of milliseconds from 1 to 3,600,000',
    fits: (value) => Number.isInteger(value) && value >= 1 && value <= 3_600_000,
  },
  minRunwayMs: {
    takes: 'a whole number of milliseconds from 0 to 38,880,000,000',
    fits: (value) => Number.isInteger(value) && value >= 0 && value <= 38_880_000_000,
  },
  signer: { takes: 'a WebhookSigner', fits: (value) => typeof value?._check === 'function' },
  id: {
    takes: 'a text of 1 to 512 characters',
    fits: (value) => typeof value === 'string' && value !== '' && value.length <= 512,
  },
  timestamp: {
    takes: 'a Date, an ISO 8601 text or milliseconds (not seconds) since 1970',
    fits: (value) => instantOf(value) !== undefined,
  },
  ttlMs: {
    takes: 'a whole number of milliseconds from 1 to 31,536,000,000',
    fits: (value) => Number.isInteger(value) && value >= 1 && value <= 31_536_000_000,
  },
  max: {
    takes: 'a whole number from 1 to 10,000,000',
    fits: (value) => Number.isInteger(value) && value >= 1 && value <= 10_000_000,
  },
  now: { takes: 'a function such as Date.now', fits: (value) => typeof value === 'function' },
  limit: {
    takes: 'a whole number of bytes from 1 to 1,073,741,824',
    fits: (value) => Number.isInteger(value) && value >= 1 && value <= 1_073_741_824,
  },
  force: { takes: 'true or false', fits: (value) => typeof value === 'boolean' },
  signal: { takes: 'an AbortSignal (such as controller.signal)', fits: isAbortSignal },
  origins: { takes: "a list of origins, such as ['https://api.mypurecloud.com']", fits: isArray },
  allowInsecureHttp: { takes: 'true or false', fits: (value) => typeof value === 'boolean' },
  fetch: { takes: 'a function such as fetch', fits: (value) => typeof value === 'function' },
}

const NONE = Object.freeze(Object.create(null))

/**
 * Returns a checked copy of the options of a call, which may have the members in `known`. Errors
 * carry the stack of the caller of `below`.
 */
function checkOptions(method, options, known, below) {
  if (options === undefined) return NONE
  const given = copyOfObject(options)
  if (given === undefined) {
    fail(
      `${method}(options) takes an object { ${known.join(', ')} } or nothing, got ${describe(options)}.`,
      below,
    )
  }
  for (const [key, value] of Object.entries(given)) {
    if (!known.includes(key)) {
      const likely = closest(key, known)
      const hint = likely === undefined ? `Known: ${known.join(', ')}.` : `Did you mean ${likely}?`
      fail(`${method}() has no option ${describeName(key)}. ${hint}`, below)
    }
    const { takes, fits } = CHECKS[key]
    if (value !== undefined && !fits(value)) {
      fail(`${method}({ ${key} }) takes ${takes}, got ${describe(value)}.`, below)
    }
  }
  return given
}

/**
 * Checks that a token is a string. The error names the kind of any other value, never its content.
 */
function checkToken(token, below) {
  if (typeof token === 'string') return
  fail(`invalidate(token) takes the token that was answered with 401, got ${describeHidden(token)}.`, below)
}

/** Checks the milestone that `until()` waits for. */
function checkUntil(what, below) {
  if (MILESTONES.includes(what)) return
  const words = MILESTONES.map((word) => `'${word}'`).join(', ')
  fail(`until(what) takes one of ${words}, got ${describeName(what)}.`, below)
}

/** Checks the name of an event and its listener. */
function checkListener(method, event, listener, below, events = EVENTS) {
  if (!events.includes(event)) {
    const isFailure = event === 'error' && events === EVENTS
    const hint = isFailure ? " Failures are told by 'refresh-failed'." : ''
    fail(`There is no event ${describeName(event)}; the events are ${events.join(', ')}.${hint}`, below)
  }
  if (typeof listener !== 'function') {
    fail(`${method}(event, listener) takes a function to call, got ${describe(listener)}.`, below)
  }
}

function fail(message, below) {
  const error = new InvalidArgumentError(message)
  captureFrames(error, below)
  throw error
}

module.exports = { EVENTS, KEY_EVENTS, checkListener, checkOptions, checkToken, checkUntil, fail }
