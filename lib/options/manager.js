'use strict'

const { parseClock } = require('./clock')
const { parseCredentials } = require('./credentials')
const { HOUR_MS, LONGEST_MS, flag, line, milliseconds, object, ratio } = require('./parsers')
const { Place, Problems } = require('./problems')
const { parseProvider } = require('./provider')
const { rootsFromEnv } = require('./proxy')
const { parseTimeZone } = require('./time-zone')

const DAY_MS = 86_400_000

/** Parsers that depend on nothing else. All managers share the table. */
const NUMBERS = {
  refreshBeforeMs: milliseconds({ min: 0, max: LONGEST_MS }),
  jitterRatio: ratio({ min: 0, max: 1, otherwise: 0.1 }),
  expiryMarginMs: milliseconds({ min: 0, max: HOUR_MS }),
  maxTokenAgeMs: milliseconds({ min: 1000, max: LONGEST_MS }),
  minRunwayMs: milliseconds({ min: 0, max: LONGEST_MS }),
  acquireTimeoutMs: milliseconds({ min: 1, max: HOUR_MS, otherwise: 5000 }),
  requestTimeoutMs: milliseconds({ min: 1, max: HOUR_MS, otherwise: 10_000 }),
  sourcePollMs: milliseconds({ min: 10, max: DAY_MS, otherwise: 10_000 }),
  overlapMs: milliseconds({ min: 1000, max: 7 * DAY_MS }),
  persistTimeoutMs: milliseconds({ min: 100, max: HOUR_MS, otherwise: 30_000 }),
  proveEveryMs,
}

/**
 * Checks all options of a manager at once. Returns `{ name?, timeZone?, strict, clock?, sources: [{
 * sync, read() }], persistFunctions: [function], variables: [{ clientId?, clientSecret?, file? }],
 * clientAuth, native }`, or throws one ERR_INVALID_OPTION that names every problem. `native` is
 * what the native part takes as JSON. It holds secrets and must not be kept.
 *
 * In `seam`, `isTimeZone(zone)` and `genesysHost(value)` come from the native part, `env` is the
 * process environment, and `warn` reports corrections. Errors carry the stack of the caller of
 * `below`.
 */
function parseOptions(options, seam) {
  const { isTimeZone, genesysHost, env = process.env, warn = emitWarning, below = parseOptions } = seam
  const problems = new Problems()
  const parsed = object(options, new Place(problems), {
    name: line({ what: 'a name' }),
    provider: (value, place) => parseProvider(value, place, { genesysHost, env }),
    credentials: (value, place) => ({ value, place }),
    ...NUMBERS,
    timeZone: (value, place) => parseTimeZone(value, place, isTimeZone),
    clock: parseClock,
    strict: flag({ otherwise: Boolean(env.AWS_LAMBDA_FUNCTION_NAME) }),
  })
  if (parsed === undefined) problems.throwIfAny(below)
  const { endpoint, transport, warning } = parsed.provider ?? {}
  const { value, place } = parsed.credentials
  const credentials = parseCredentials(value, place, {
    environment: () => seam.env ?? process.env,
    clientAuth: endpoint?.clientAuth,
  })
  checkAges(parsed, problems)
  problems.throwIfAny(below)

  if (warning !== undefined) warn(warning, { type: 'OAuthRotorWarning', code: 'OAUTH_ROTOR_API_HOST' })
  const { entries, sources, initial, persistFunctions, variables } = credentials
  const { name, timeZone, strict } = parsed
  const { requestTimeoutMs } = parsed
  return Object.freeze({
    name,
    timeZone,
    strict,
    clock: parsed.clock,
    sources,
    persistFunctions,
    variables,
    clientAuth: endpoint.clientAuth,
    native: {
      name,
      endpoint,
      transport: { ...transport, ...rootsFromEnv(env), requestTimeoutMs },
      policy: policyOf(parsed),
      entries,
      initial,
    },
  })
}

function policyOf(parsed) {
  const { refreshBeforeMs, jitterRatio, expiryMarginMs, maxTokenAgeMs } = parsed
  const { minRunwayMs, acquireTimeoutMs, sourcePollMs, overlapMs } = parsed
  const { persistTimeoutMs, proveEveryMs } = parsed
  return {
    refreshBeforeMs,
    jitterRatio,
    expiryMarginMs,
    maxTokenAgeMs,
    minRunwayMs,
    acquireTimeoutMs,
    sourcePollMs,
    overlapMs,
    persistTimeoutMs,
    proveEveryMs,
  }
}

const PROOF = milliseconds({ min: 60_000, max: LONGEST_MS, otherwise: 6 * HOUR_MS })

/** 0 disables it. Less than a minute would send requests for nothing. */
function proveEveryMs(value, place) {
  return value === 0 ? 0 : PROOF(value, place)
}

/** Reports values that are valid alone but contradict each other. */
function checkAges({ maxTokenAgeMs, minRunwayMs, expiryMarginMs }, problems) {
  if (maxTokenAgeMs === undefined) return
  if (minRunwayMs > maxTokenAgeMs / 2) {
    const why = 'a token is refreshed in the second half of its life at the earliest'
    problems.add(
      'minRunwayMs',
      `must be at most half of maxTokenAgeMs (${maxTokenAgeMs}), got ${minRunwayMs}: ${why}.`,
    )
  }
  if (expiryMarginMs >= maxTokenAgeMs) {
    const why = 'no token would ever be used'
    problems.add(
      'expiryMarginMs',
      `must be less than maxTokenAgeMs (${maxTokenAgeMs}), got ${expiryMarginMs}: ${why}.`,
    )
  }
}

function emitWarning(message, options) {
  process.emitWarning(message, options)
}

module.exports = { parseOptions }
