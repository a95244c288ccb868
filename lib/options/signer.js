'use strict'

const { parseClock } = require('./clock')
const { field } = require('./fields')
const { instant } = require('./instants')
const { HOUR_MS, line, milliseconds, object, oneOf, oneOrMore } = require('./parsers')
const { Place, Problems } = require('./problems')
const { sourceDetail } = require('./sources')
const { parseTimeZone } = require('./time-zone')
const { attempt, copyOfObject, describe, describeHidden, isPromise } = require('./values')

const SCHEMES = ['pagerduty', 'standard-webhooks', 'stripe', 'github', 'slack', 'genesys']
const DAY_MS = 24 * HOUR_MS

/** Names the method of a `TokenManager` that returns its handle and clock: `{ handle, clock }`. */
const LEND = Symbol.for('oauth-rotor.lend')

/** The name of a header (RFC 9110 §5.1). */
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/

/**
 * Checks all options of a signer at once. Returns `{ lender?, timeZone?, clock?, sources, native }`,
 * or throws one ERR_INVALID_OPTION that names every problem. `native` is what the native part takes
 * as JSON. It holds secrets and must not be kept.
 */
function parseSignerOptions(options, { isTimeZone, environment = () => process.env, below }) {
  const problems = new Problems()
  const parsed = object(options, new Place(problems), {
    scheme,
    keys: (value, place) => ({ value, place }),
    signWith: oneOf(['previous', 'current'], { otherwise: 'previous' }),
    graceMs: milliseconds({ min: 0, max: 7 * DAY_MS, otherwise: 0 }),
    toleranceMs: milliseconds({ min: 1000, max: DAY_MS, otherwise: 300_000 }),
    sourcePollMs: milliseconds({ min: 10, max: DAY_MS, otherwise: 10_000 }),
    timeZone: (value, place) => parseTimeZone(value, place, isTimeZone),
    clock: parseClock,
  })
  if (parsed === undefined) problems.throwIfAny(below)
  const { value, place } = parsed.keys
  const lender = lenderOf(value)
  const keys = lender === undefined ? configuredKeys(value, place, { environment, ...parsed }) : undefined
  problems.throwIfAny(below)
  const { scheme: chosen, signWith, toleranceMs, graceMs, timeZone } = parsed
  const lent = lender && { kind: 'lent', handle: lender.handle, graceMs }
  return {
    lender: lender && { ...lender, tokens: value },
    timeZone,
    clock: parsed.clock ?? lender?.clock,
    sources: keys?.sources ?? [],
    native: { scheme: chosen, signWith, toleranceMs, keys: lent ?? keys.native },
  }
}

function scheme(value, place) {
  if (value === undefined) return place.fail(`is required: ${SCHEMES.join(', ')} or { header, … }.`)
  if (typeof value === 'string' || copyOfObject(value) === undefined) return oneOf(SCHEMES)(value, place)
  return object(value, place, {
    header: headerName({ isRequired: true }),
    prefix: (text, at) =>
      text === undefined ? '' : ascii(text, at, { what: "a text such as 'v1='", max: 32 }),
    encoding: oneOf(['hex', 'base64'], { otherwise: 'hex' }),
    separator,
    signed: template,
    idHeader: headerName({ isRequired: false }),
    timestampHeader: headerName({ isRequired: false }),
  })
}

function headerName({ isRequired }) {
  return (value, place) => {
    if (value === undefined && !isRequired) return undefined
    if (typeof value === 'string' && HEADER.test(value)) return value
    return place.fail(`takes the name of a header, such as 'X-Signature', got ${describe(value)}.`)
  }
}

function ascii(value, place, { what, max }) {
  if (typeof value === 'string' && value.length <= max && /^[\x21-\x7e]*$/.test(value)) return value
  return place.fail(`takes ${what} of at most ${max} visible ASCII characters, got ${describe(value)}.`)
}

function separator(value, place) {
  if (value === undefined || (typeof value === 'string' && /^[\x20-\x7e]{1,3}$/.test(value))) return value
  return place.fail(`takes a text such as ',' or ' ', got ${describe(value)}.`)
}

function template(value, place) {
  if (value === undefined) return '{body}'
  const isText = typeof value === 'string' && value.length <= 128
  if (isText && value.split('{body}').length === 2) return value
  return place.fail(
    `takes a text with {body} in it once, such as '{timestamp}.{body}', got ${describe(value)}.`,
  )
}

function lenderOf(value) {
  const lend = attempt(() => value?.[LEND])
  return typeof lend === 'function' ? lend.call(value) : undefined
}

/**
 * Returns the keys as the native part takes them, and the sources that only JavaScript can read.
 */
function configuredKeys(value, place, { environment, sourcePollMs }) {
  if (value === undefined) {
    return place.fail("is required, such as fromEnv('SIGNING_KEY'), a list of keys, or a TokenManager.")
  }
  const items = oneOrMore(value, place)
  if (items.length === 0) place.fail('takes at least one key, got an empty list.')
  const context = { environment, sources: [], initial: [] }
  const parsed = items.map(([item, at], index) => key(item, at, index, context)).filter(Boolean)
  checkNames(parsed, items)
  const { sources, initial } = context
  return {
    sources,
    native: {
      kind: 'configured',
      specs: parsed.map(({ spec }) => spec),
      entries: parsed.map(({ entry }) => entry),
      initial,
      sourcePollMs,
    },
  }
}

function key(value, place, index, context) {
  const isPlain =
    typeof value === 'string' || typeof value === 'function' || sourceDetail(value) !== undefined
  if (!isPlain && (isPromise(value) || copyOfObject(value) === undefined)) {
    const hint = isPromise(value) ? ' Give the function that returns the promise.' : ''
    return place.fail(`takes a string, a source or { key, … }, got ${describeHidden(value)}.${hint}`)
  }
  const given = isPlain
    ? { key: value }
    : object(value, place, {
        key: (one) => one,
        label: line({ what: 'a line of text' }),
        signsFrom: instant,
        signsUntil: instant,
        verifiesUntil: instant,
      })
  if (given === undefined) return undefined
  const { label, signsFrom, signsUntil, verifiesUntil } = given
  checkTimes(given, place)
  const at = isPlain ? place : place.key('key')
  const source = field(given.key, at, { context, optional: false, what: 'key' })
  const name = label ?? `keys[${index}]`
  return {
    spec: { name, signsFrom, signsUntil, verifiesUntil },
    entry: { label, optional: false, source: { kind: 'key', key: source } },
  }
}

function checkTimes({ signsFrom, signsUntil, verifiesUntil }, place) {
  if (signsFrom >= signsUntil) {
    place.key('signsUntil').fail('must be after signsFrom: the key would never sign.')
  }
  if (signsUntil > verifiesUntil || signsFrom >= verifiesUntil) {
    const why = 'receivers would refuse what it signs'
    place.key('verifiesUntil').fail(`must not be before the end of signing: ${why}.`)
  }
}

/** Reports names that are not unique: results and events tell keys apart by name. */
function checkNames(parsed, items) {
  const seen = new Set()
  for (const [index, { spec }] of parsed.entries()) {
    if (seen.has(spec.name)) items[index][1].key('label').fail('is the label of another key already.')
    seen.add(spec.name)
  }
}

module.exports = { LEND, parseSignerOptions }
