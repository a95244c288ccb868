'use strict'

const { closest, copyOfObject, describe } = require('./values')

/** The largest instant of a `Date`. */
const LAST_INSTANT = 8.64e15

/** Returns a checked copy of the options, which may have the members in `known`. */
function checkObject(given, known, what) {
  if (given === undefined) return {}
  const copy = copyOfObject(given)
  if (copy === undefined) {
    throw new TypeError(`${what} takes an object { ${known.join(', ')} }, got ${describe(given)}.`)
  }
  for (const key of Object.keys(copy)) {
    if (known.includes(key)) continue
    const likely = closest(key, known)
    const hint = likely === undefined ? `Known: ${known.join(', ')}.` : `Did you mean '${likely}'?`
    throw new TypeError(`${what} has no option '${key.slice(0, 64)}'. ${hint}`)
  }
  return copy
}

/** Checks and returns a duration or an instant. */
function checkMillis(value, what, { min = 0, max = LAST_INSTANT } = {}) {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new TypeError(`${what} takes a whole number of milliseconds from ${min}, got ${describe(value)}.`)
}

module.exports = { LAST_INSTANT, checkMillis, checkObject }
