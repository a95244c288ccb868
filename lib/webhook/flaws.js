'use strict'

const { types } = require('node:util')
const errors = require('../errors')
const { captureFrames } = require('../stacks')

/**
 * What the native part returns instead of a key or a signature: `code` of
 * src/binding/signatures.rs.
 */
const NO_KEY = -1
const NOT_BYTES = -2
const MISSING_ID = -3
const MISSING_TIMESTAMP = -4
const MALFORMED = -5
const MALFORMED_TIMESTAMP = -6
const TOO_OLD = -7
const FROM_THE_FUTURE = -8
const UNFIT_ID = -10

/** Whether a body is still as it was sent, not parsed. */
function isBytes(body) {
  return typeof body === 'string' || ArrayBuffer.isView(body) || types.isArrayBuffer(body)
}

function bodyParsed(method, body, below) {
  const got = body === null || body === undefined ? String(body) : `a value of type ${typeof body}`
  const advice =
    "Sign and verify the bytes that are sent and received, not what a framework made of them: see 'oauth-rotor/raw-body'."
  const story = `${method}(body) takes a string, a Buffer or an ArrayBuffer, got ${got}: the body was parsed. ${advice}`
  return made(errors.SignatureBodyParsedError, story, 500, below)
}

function signatureMissing(header, below) {
  return made(errors.SignatureMissingError, `The request has no header ${header}.`, 400, below)
}

/** Returns the error for a flaw of a signature. `mismatchStatus` is for one that does not match. */
function flawed(flaw, { headers, toleranceMs, mismatchStatus, whyNoKey, below }) {
  const { SignatureMissingError, SignatureMalformedError, SignatureExpiredError } = errors
  const allowed = `${toleranceMs} ms (toleranceMs)`
  switch (flaw) {
    case NO_KEY:
      return made(errors.NoKeyError, whyNoKey(), 503, below)
    case MISSING_ID:
      return made(SignatureMissingError, `The request has no header ${headers.id}.`, 400, below)
    case MISSING_TIMESTAMP:
      return made(SignatureMissingError, `The request does not say when it was signed.`, 400, below)
    case MALFORMED:
      return made(
        SignatureMalformedError,
        `The header ${headers.signature} holds no signature of a known version.`,
        400,
        below,
      )
    case MALFORMED_TIMESTAMP:
      return made(SignatureMalformedError, 'The time of the signature is no number of seconds.', 400, below)
    case TOO_OLD:
      return made(SignatureExpiredError, `The signature was made more than ${allowed} ago.`, 400, below)
    case FROM_THE_FUTURE:
      return made(
        SignatureExpiredError,
        `The signature was made more than ${allowed} ahead of this clock.`,
        400,
        below,
      )
    default:
      return made(
        errors.SignatureMismatchError,
        'No signature matches: the body is not as it was sent, or it was signed with a key that is not known here.',
        mismatchStatus,
        below,
      )
  }
}

function noKey(story, below) {
  return made(errors.NoKeyError, story, 503, below)
}

function made(Class, story, status, below) {
  const error = new Class(story, { status })
  captureFrames(error, below)
  return error
}

module.exports = { NOT_BYTES, UNFIT_ID, bodyParsed, flawed, isBytes, noKey, signatureMissing }
