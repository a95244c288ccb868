'use strict'

const BRAND = Symbol.for('oauth-rotor.error')
const ordinaryHasInstance = Function.prototype[Symbol.hasInstance]

/**
 * The base class of every error of this package. A process may have several copies of the package
 * (another version in a dependency, a worker, a Jest file). `instanceof` therefore checks brand and
 * code, so that the copies recognise each other's errors.
 */
class RotorError extends Error {
  static [BRAND] = true

  constructor(code, message, { cause, retryable = false } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = retryable
  }

  static [Symbol.hasInstance](value) {
    if (!Object.hasOwn(this, BRAND)) return ordinaryHasInstance.call(this, value)
    return isRotorError(value) && (this.code === undefined || this.code === value.code)
  }

  get [BRAND]() {
    return true
  }

  /** Returns everything but the stack, for loggers that serialise errors as JSON. */
  toJSON() {
    const origin = isRotorError(this.cause) ? { cause: this.cause.toJSON() } : {}
    return { name: this.name, message: this.message, ...this, ...origin }
  }
}

/**
 * Whether an error comes from this package or from another copy of it. Never throws, whatever the
 * value is.
 */
function isRotorError(value) {
  try {
    return typeof value === 'object' && value !== null && value[BRAND] === true
  } catch {
    return false
  }
}

/**
 * Makes the class of one code and names it after the code: `ERR_NO_FLEET` makes `NoFleetError`.
 * `details` names further members of its errors.
 */
function errorClass(code, { retryable = false, details = [] } = {}) {
  const words = code.split('_').slice(1)
  const name = `${words.map((word) => word[0] + word.slice(1).toLowerCase()).join('')}Error`
  const Class = {
    [name]: class extends RotorError {
      static [BRAND] = true
      static code = code

      constructor(message, values = {}) {
        const isRetryable = typeof retryable === 'function' ? retryable(values) : retryable
        super(code, message, { cause: values.cause, retryable: isRetryable })
        for (const detail of details) {
          if (values[detail] !== undefined) this[detail] = values[detail]
        }
      }
    },
  }[name]
  nameErrors(Class, name)
  return Class
}

/** Names the errors of a class. The name is not enumerable, as in the errors of Node.js. */
function nameErrors(Class, name) {
  const hidden = { writable: true, configurable: true, enumerable: false }
  Object.defineProperty(Class.prototype, 'name', { value: name, ...hidden })
}

nameErrors(RotorError, 'RotorError')

const ANSWER = ['status', 'oauthError', 'description']
const CANDIDATE = ['credentialId', 'rotationId']

// What users import. Node.js reads the names that ES modules may import from assignments of this
// form.
exports.RotorError = RotorError
exports.isRotorError = isRotorError

exports.InvalidOptionError = errorClass('ERR_INVALID_OPTION', { details: ['option', 'problems'] })
exports.InvalidArgumentError = errorClass('ERR_INVALID_ARGUMENT')
exports.OptionsConflictError = errorClass('ERR_OPTIONS_CONFLICT', { details: ['option'] })
exports.NativeUnavailableError = errorClass('ERR_NATIVE_UNAVAILABLE')
exports.CredentialUnavailableError = errorClass('ERR_CREDENTIAL_UNAVAILABLE', { retryable: true })
exports.TokenUnavailableError = errorClass('ERR_TOKEN_UNAVAILABLE', {
  retryable: ({ cause }) => !isRotorError(cause) || cause.retryable,
  details: ['retryAfterMs'],
})
exports.LifetimeTooShortError = errorClass('ERR_LIFETIME_TOO_SHORT', {
  details: ['lifetimeMs', 'safeUntil', 'safeUntilLocal'],
})
exports.ClosedError = errorClass('ERR_CLOSED')

exports.CredentialRejectedError = errorClass('ERR_CREDENTIAL_REJECTED', {
  // A bare 401 or 403 may come from a gateway, and is retried.
  retryable: (values) => values.retryable === true,
  details: ANSWER,
})
exports.MisconfiguredError = errorClass('ERR_MISCONFIGURED', { details: ANSWER })
exports.ThrottledError = errorClass('ERR_THROTTLED', { retryable: true, details: ANSWER })
exports.EndpointError = errorClass('ERR_ENDPOINT', { retryable: true, details: ANSWER })
exports.DegradedError = errorClass('ERR_DEGRADED', { retryable: true })

exports.CandidateRejectedError = errorClass('ERR_CANDIDATE_REJECTED', { details: CANDIDATE })
exports.CandidateUnverifiedError = errorClass('ERR_CANDIDATE_UNVERIFIED', { details: CANDIDATE })
exports.RotationConflictError = errorClass('ERR_ROTATION_CONFLICT', { details: ['rotationId'] })
exports.RotationTimeoutError = errorClass('ERR_ROTATION_TIMEOUT', {
  retryable: true,
  details: ['rotationId'],
})
exports.NoCandidateError = errorClass('ERR_NO_CANDIDATE', { details: ['lookedAt'] })
exports.NoCustodyError = errorClass('ERR_NO_CUSTODY', { details: CANDIDATE })
exports.PersistFailedError = errorClass('ERR_PERSIST_FAILED', { retryable: true })
exports.NoFleetError = errorClass('ERR_NO_FLEET', { details: ['rotationId'] })
exports.RetireBlockedError = errorClass('ERR_RETIRE_BLOCKED', { retryable: true, details: ['missing'] })

exports.BodyConsumedError = errorClass('ERR_BODY_CONSUMED', { retryable: true, details: ['status'] })

/** Errors of signatures carry the HTTP status to respond with. */
const WEBHOOK = { details: ['status'] }

exports.NoKeyError = errorClass('ERR_NO_KEY', { retryable: true, ...WEBHOOK })
exports.SignatureMissingError = errorClass('ERR_SIGNATURE_MISSING', WEBHOOK)
exports.SignatureMalformedError = errorClass('ERR_SIGNATURE_MALFORMED', WEBHOOK)
exports.SignatureExpiredError = errorClass('ERR_SIGNATURE_EXPIRED', WEBHOOK)
exports.SignatureMismatchError = errorClass('ERR_SIGNATURE_MISMATCH', WEBHOOK)
exports.SignatureBodyParsedError = errorClass('ERR_SIGNATURE_BODY_PARSED', WEBHOOK)
exports.RawBodyError = errorClass('ERR_RAW_BODY', WEBHOOK)
