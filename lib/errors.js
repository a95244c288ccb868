'use strict'

const BRAND = Symbol.for('oauth-rotor.error')
const ordinaryHasInstance = Function.prototype[Symbol.hasInstance]

/**
 * The root of every error of this package. Several copies of the package may live in one process
 * (another version in a dependency, a worker, a Jest file): `instanceof` goes by brand and code, so
 * they recognise each other's errors.
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

  /** What a logger that serialises errors as JSON gets: everything but the stack. */
  toJSON() {
    const origin = isRotorError(this.cause) ? { cause: this.cause.toJSON() } : {}
    return { name: this.name, message: this.message, ...this, ...origin }
  }
}

/** Whether an error comes from this package, from any copy of it. Never throws, whatever was thrown. */
function isRotorError(value) {
  try {
    return typeof value === 'object' && value !== null && value[BRAND] === true
  } catch {
    return false
  }
}

/** Makes the class of one code; `details` picks the members that this code carries besides. */
function errorClass(name, code, { retryable = false, details = [] } = {}) {
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
  hidden(Class.prototype, 'name', name)
  return Class
}

function hidden(target, key, value) {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false })
}

hidden(RotorError.prototype, 'name', 'RotorError')

const InvalidOptionError = errorClass('InvalidOptionError', 'ERR_INVALID_OPTION', {
  details: ['option', 'problems'],
})
const InvalidArgumentError = errorClass('InvalidArgumentError', 'ERR_INVALID_ARGUMENT')
const OptionsConflictError = errorClass('OptionsConflictError', 'ERR_OPTIONS_CONFLICT', {
  details: ['option'],
})
const NativeUnavailableError = errorClass('NativeUnavailableError', 'ERR_NATIVE_UNAVAILABLE')
const CredentialUnavailableError = errorClass('CredentialUnavailableError', 'ERR_CREDENTIAL_UNAVAILABLE', {
  retryable: true,
})
const TokenUnavailableError = errorClass('TokenUnavailableError', 'ERR_TOKEN_UNAVAILABLE', {
  retryable: ({ cause }) => !isRotorError(cause) || cause.retryable,
  details: ['retryAfterMs'],
})
const LifetimeTooShortError = errorClass('LifetimeTooShortError', 'ERR_LIFETIME_TOO_SHORT', {
  details: ['lifetimeMs', 'safeUntil', 'safeUntilLocal'],
})
const ClosedError = errorClass('ClosedError', 'ERR_CLOSED')

const ANSWER = ['status', 'oauthError', 'description']
const CredentialRejectedError = errorClass('CredentialRejectedError', 'ERR_CREDENTIAL_REJECTED', {
  // A bare 401 or 403 may come from a gateway, and is retried.
  retryable: (values) => values.retryable === true,
  details: ANSWER,
})
const MisconfiguredError = errorClass('MisconfiguredError', 'ERR_MISCONFIGURED', { details: ANSWER })
const ThrottledError = errorClass('ThrottledError', 'ERR_THROTTLED', { retryable: true, details: ANSWER })
const EndpointError = errorClass('EndpointError', 'ERR_ENDPOINT', { retryable: true, details: ANSWER })
const DegradedError = errorClass('DegradedError', 'ERR_DEGRADED', { retryable: true })

const CANDIDATE = ['credentialId', 'rotationId']
const CandidateRejectedError = errorClass('CandidateRejectedError', 'ERR_CANDIDATE_REJECTED', {
  details: CANDIDATE,
})
const CandidateUnverifiedError = errorClass('CandidateUnverifiedError', 'ERR_CANDIDATE_UNVERIFIED', {
  details: CANDIDATE,
})
const RotationConflictError = errorClass('RotationConflictError', 'ERR_ROTATION_CONFLICT', {
  details: ['rotationId'],
})
const RotationTimeoutError = errorClass('RotationTimeoutError', 'ERR_ROTATION_TIMEOUT', {
  retryable: true,
  details: ['rotationId'],
})
const NoCandidateError = errorClass('NoCandidateError', 'ERR_NO_CANDIDATE', { details: ['lookedAt'] })
const NoCustodyError = errorClass('NoCustodyError', 'ERR_NO_CUSTODY', { details: CANDIDATE })
const PersistFailedError = errorClass('PersistFailedError', 'ERR_PERSIST_FAILED', { retryable: true })
const NoFleetError = errorClass('NoFleetError', 'ERR_NO_FLEET', { details: ['rotationId'] })
const RetireBlockedError = errorClass('RetireBlockedError', 'ERR_RETIRE_BLOCKED', {
  retryable: true,
  details: ['missing'],
})

const BodyConsumedError = errorClass('BodyConsumedError', 'ERR_BODY_CONSUMED', {
  retryable: true,
  details: ['status'],
})

const CLASSES = [
  InvalidOptionError,
  InvalidArgumentError,
  OptionsConflictError,
  NativeUnavailableError,
  CredentialUnavailableError,
  TokenUnavailableError,
  LifetimeTooShortError,
  ClosedError,
  CredentialRejectedError,
  MisconfiguredError,
  ThrottledError,
  EndpointError,
  DegradedError,
  CandidateRejectedError,
  CandidateUnverifiedError,
  RotationConflictError,
  RotationTimeoutError,
  NoCandidateError,
  NoCustodyError,
  PersistFailedError,
  NoFleetError,
  RetireBlockedError,
  BodyConsumedError,
]
const BY_CODE = new Map(CLASSES.map((Class) => [Class.code, Class]))
const CODES = Object.freeze([...BY_CODE.keys()])

/**
 * Turns what the native part reports (`{ code, message, … }`, or its JSON text) into an error of
 * this realm.
 *
 * `site` says whose stack the error carries: a function, whose own frame and those above are left
 * out, or what `callSite()` returned when the call was made, for errors that arrive long after
 * their caller has returned.
 */
function fromNative(report, site = fromNative) {
  const { code, message, cause, ...details } = typeof report === 'string' ? JSON.parse(report) : report
  const Class = BY_CODE.get(code)
  const values = cause ? { ...details, cause: fromNative(cause, site) } : details
  const error = Class ? new Class(message, values) : new RotorError(code, message, values)
  if (typeof site === 'function') captureFrames(error, site)
  else hidden(error, 'stack', `${error.name}: ${message}${site.frames}`)
  return error
}

/** The frames of whoever called `below`, kept for an error that may come later. */
function callSite(below) {
  const holder = {}
  captureFrames(holder, below)
  const [, ...frames] = String(holder.stack).split(/(?=\n)/)
  return { frames: frames.join('') }
}

/**
 * Gives an object the stack of whoever called `below`. An engine that drops the frames of tail calls (Bun's) may not
 * find that on its stack: then it is all but the frames of this package.
 */
function captureFrames(target, below) {
  Error.captureStackTrace(target, below)
  if (String(target.stack).includes('\n    at ')) return
  const header = String(target.stack)
  const all = String(new Error().stack)
    .split('\n')
    .filter((line) => line.startsWith('    at '))
  const others = all.filter((line) => !line.includes(__dirname))
  // In a bundle everything is in one file.
  hidden(target, 'stack', [header, ...(others.length > 0 ? others : all)].join('\n'))
}

module.exports = {
  RotorError,
  InvalidOptionError,
  InvalidArgumentError,
  OptionsConflictError,
  NativeUnavailableError,
  CredentialUnavailableError,
  TokenUnavailableError,
  LifetimeTooShortError,
  ClosedError,
  CredentialRejectedError,
  MisconfiguredError,
  ThrottledError,
  EndpointError,
  DegradedError,
  CandidateRejectedError,
  CandidateUnverifiedError,
  RotationConflictError,
  RotationTimeoutError,
  NoCandidateError,
  NoCustodyError,
  PersistFailedError,
  NoFleetError,
  RetireBlockedError,
  BodyConsumedError,
  CODES,
  isRotorError,
  fromNative,
  callSite,
  captureFrames,
}
