'use strict'

// Set on every error, so that `instanceof` holds across two copies of the package in one process.
const BRAND = Symbol.for('oauth-rotor.error')

/** What every error of this package is: an Error with a stable `code`. */
class RotorError extends Error {
  constructor(message, { cause, ...details } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    const { code, retryable } = new.target
    Object.assign(this, { code, retryable }, details)
  }

  static [Symbol.hasInstance](value) {
    return isRotorError(value) && (this.code === undefined || value.code === this.code)
  }
}

Object.defineProperty(RotorError.prototype, BRAND, { value: true })

/**
 * Whether asking again, with nothing changed, can succeed.
 * @type {Record<string, { name: string, retryable: boolean }>}
 */
const KINDS = {
  ERR_INVALID_OPTION: { name: 'InvalidOptionError', retryable: false },
  ERR_INVALID_ARGUMENT: { name: 'InvalidArgumentError', retryable: false },
  ERR_OPTIONS_CONFLICT: { name: 'OptionsConflictError', retryable: false },
  ERR_NATIVE_UNAVAILABLE: { name: 'NativeUnavailableError', retryable: false },
  ERR_CREDENTIAL_UNAVAILABLE: { name: 'CredentialUnavailableError', retryable: true },
  ERR_TOKEN_UNAVAILABLE: { name: 'TokenUnavailableError', retryable: true },
  ERR_LIFETIME_TOO_SHORT: { name: 'LifetimeTooShortError', retryable: false },
  ERR_CLOSED: { name: 'ClosedError', retryable: false },
  ERR_CREDENTIAL_REJECTED: { name: 'CredentialRejectedError', retryable: false },
  ERR_MISCONFIGURED: { name: 'MisconfiguredError', retryable: false },
  ERR_THROTTLED: { name: 'ThrottledError', retryable: true },
  ERR_ENDPOINT: { name: 'EndpointError', retryable: true },
}

/** One class for each code, under the name that `error.name` shows. */
const classes = {}
for (const [code, { name, retryable }] of Object.entries(KINDS)) {
  const Kind = class extends RotorError {}
  Object.defineProperties(Kind, {
    name: { value: name },
    code: { value: code },
    retryable: { value: retryable },
  })
  Object.defineProperty(Kind.prototype, 'name', { value: name, configurable: true, writable: true })
  classes[name] = Kind
}

/** Makes the error for a code, with the stack of whoever called `above`. */
function makeError(code, message, details, above = makeError) {
  const error = new classes[KINDS[code].name](message, details)
  Error.captureStackTrace?.(error, above)
  return error
}

/** Makes the error that the native part describes, and the error behind it. */
function fromNative({ code, message, cause, ...details }, above = fromNative) {
  if (!(code in KINDS)) code = 'ERR_NATIVE_UNAVAILABLE'
  return makeError(code, message, cause ? { ...details, cause: fromNative(cause) } : details, above)
}

/** Whether a value is an error of this package, from whichever copy or realm. */
function isRotorError(value) {
  return typeof value === 'object' && value !== null && value[BRAND] === true
}

module.exports = { RotorError, ...classes, makeError, fromNative, isRotorError, KINDS }
