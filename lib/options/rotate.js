'use strict'

const { isAbortSignal } = require('../abort')
const { InvalidArgumentError } = require('../errors')
const { captureFrames } = require('../stacks')
const { credentialText } = require('./credential-text')
const { checkClientId } = require('./fields')
const { instant } = require('./instants')
const { HOUR_MS, flag, line, milliseconds, object } = require('./parsers')
const { Place, Problems } = require('./problems')
const { isLoopback, urlOf } = require('./url')
const { describe, describeName } = require('./values')

/**
 * Checks all options of `rotate()` at once. Returns what the native part takes, and the signal.
 * Throws one ERR_INVALID_ARGUMENT that names every problem and carries the stack of the caller of
 * `below`.
 */
function parseRotate(options, { clientAuth, below }) {
  const problems = new Problems()
  const top = new Place(problems)
  let hasSecret = false
  const parsed = object(options === undefined ? {} : options, top, {
    clientId: (value, place) => {
      return value === undefined ? undefined : credentialText(value, place, { what: 'a client id' })
    },
    clientSecret: (value, place) => {
      hasSecret = value !== undefined
      return hasSecret ? credentialText(value, place, { what: 'a client secret' }) : undefined
    },
    label: line({ what: 'a line of text' }),
    expiresAt: instant,
    rotationId: line({ what: 'a line of text' }),
    deadlineMs: milliseconds({ min: 1000, max: HOUR_MS, otherwise: 300_000 }),
    verify: verification,
    supersede: flag({ otherwise: false }),
    compromised: flag({ otherwise: false }),
    signal,
  })
  if (parsed !== undefined) {
    checkClientId(parsed.clientId, top.key('clientId'), { clientAuth })
    const ofSecret = ['clientId', 'label', 'expiresAt'].filter((key) => parsed[key] !== undefined)
    // The caller may have misspelt a variable. Taking the configured candidate would start another
    // rotation than the one meant.
    if (!hasSecret && options !== undefined && Object.hasOwn(options, 'clientSecret')) {
      const remedy = 'Leave it out to take the configured candidate.'
      top.key('clientSecret').fail(`takes a client secret, got nothing. ${remedy}`)
    }
    if (!hasSecret) for (const key of ofSecret) top.key(key).fail('belongs to a clientSecret: give both.')
  }
  throwIfAny(problems, below)
  return parsed
}

/** A request with the candidate's token, which must not be sent in the clear. */
function verification(value, place) {
  if (value === undefined) return undefined
  return object(value, place, {
    url: (given, at) => {
      const url = urlOf(given)
      const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url))
      if (!isSafe) {
        return at.fail(`takes an absolute https URL, or http of this machine; got ${describeName(given)}.`)
      }
      if (url.username !== '' || url.password !== '') {
        return at.fail('must not hold a user name or password: the new token is sent.')
      }
      url.hash = ''
      return url.href
    },
  })
}

function signal(value, place) {
  if (value === undefined || isAbortSignal(value)) return value
  return place.fail(`takes an AbortSignal (such as controller.signal), got ${describe(value)}.`)
}

function throwIfAny(problems, below) {
  if (problems.count === 0) return
  const text = problems.text('rotate(): ', (count) => `rotate() has ${count} problems:`)
  const error = new InvalidArgumentError(text)
  captureFrames(error, below)
  throw error
}

module.exports = { parseRotate }
