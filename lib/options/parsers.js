'use strict'

const {
  MOST_ITEMS,
  closest,
  copyOfArray,
  copyOfObject,
  describe,
  describeHidden,
  describeName,
  grouped,
} = require('./values')

const HOUR_MS = 3_600_000
/** 450 days. */
const LONGEST_MS = 38_880_000_000

/**
 * Parses an object by a table of parsers, one for each key that it may have. A parser gets the
 * value and its place. It returns the parsed value, or reports a problem and returns undefined.
 */
function object(value, place, parsers) {
  const copy = copyOfObject(value)
  if (copy === undefined) return place.fail(`takes an object, got ${describe(value)}.`)
  const known = Object.keys(parsers)
  if (hasTooMany(Object.keys(copy), place)) return undefined
  for (const [index, key] of Object.keys(copy).entries()) {
    if (!Object.hasOwn(parsers, key)) place.key(key, index).fail(unknownKey(key, known))
  }
  const parsed = {}
  for (const key of known) parsed[key] = parsers[key](copy[key], place.key(key))
  return parsed
}

function unknownKey(key, known) {
  const likely = closest(key, known)
  return likely === undefined
    ? `is not a known option. Known here: ${known.join(', ')}.`
    : `is not a known option. Did you mean ${likely}?`
}

/** Whether a copy has too many items. If so, reports it. */
function hasTooMany(copy, place) {
  if (copy.length <= MOST_ITEMS) return false
  place.fail(`takes at most ${grouped(MOST_ITEMS)} items, got more.`)
  return true
}

/**
 * Returns the items of an option that takes one or a list of them, each with its place. Returns
 * none after reporting that there are too many.
 */
function oneOrMore(value, place) {
  const list = copyOfArray(value)
  if (list === undefined) return [[value, place]]
  if (hasTooMany(list, place)) return []
  return list.map((item, index) => [item, place.item(index)])
}

/** A parser for a whole number of milliseconds. */
function milliseconds({ min, max, otherwise }) {
  return (value, place) => {
    if (value === undefined) return otherwise
    if (Number.isInteger(value) && value >= min && value <= max) return value + 0
    const range = `a whole number of milliseconds from ${grouped(min)} to ${grouped(max)}`
    const hint = typeof value === 'string' ? ' Convert it with Number(…).' : ''
    return place.fail(`takes ${range}, got ${describe(value)}.${hint}`)
  }
}

/** A parser for a number between two bounds, both included. */
function ratio({ min, max, otherwise }) {
  return (value, place) => {
    if (value === undefined) return otherwise
    if (typeof value === 'number' && value >= min && value <= max) return value + 0
    return place.fail(`takes a number from ${min} to ${max}, got ${describe(value)}.`)
  }
}

/** A parser for `true` or `false`. */
function flag({ otherwise }) {
  return (value, place) => {
    if (value === undefined) return otherwise
    if (typeof value === 'boolean') return value
    return place.fail(`takes true or false, got ${describe(value)}.`)
  }
}

/** A parser for one of a few words. */
function oneOf(words, { otherwise } = {}) {
  return (value, place) => {
    if (value === undefined) return otherwise
    if (words.includes(value)) return value
    const likely = typeof value === 'string' ? closest(value, words) : undefined
    const hint = likely === undefined ? '' : ` Did you mean '${likely}'?`
    return place.fail(
      `takes ${alternatives(words.map((word) => `'${word}'`))}, got ${describeName(value)}.${hint}`,
    )
  }
}

function alternatives(items) {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`
}

/** A parser for a text that people read: one line of 1 to `max` characters. */
function line({ what, max = 128 }) {
  return (value, place) => (value === undefined ? undefined : textOf(value, place, { what, max }))
}

/**
 * Returns the string, or undefined after reporting a problem. A report does not repeat the string.
 */
function textOf(value, place, { what, max = Infinity }) {
  if (typeof value !== 'string') return place.fail(`takes ${what}, got ${describeHidden(value)}.`)
  if (value === '') return place.fail(`takes ${what}, got an empty string.`)
  if (hasControlCharacter(value)) {
    return place.fail(`takes ${what}, got a string with a control character (a line break, perhaps).`)
  }
  if (hasLoneSurrogate(value)) {
    return place.fail(`takes ${what}, got a string that is not well-formed Unicode.`)
  }
  if (value.length > max)
    return place.fail(`takes ${what} of at most ${max} characters, got ${value.length}.`)
  return value
}

function hasControlCharacter(text) {
  return /\p{Cc}/u.test(text)
}

function hasLoneSurrogate(text) {
  return /\p{Cs}/u.test(text)
}

module.exports = {
  HOUR_MS,
  LONGEST_MS,
  object,
  hasTooMany,
  oneOrMore,
  milliseconds,
  ratio,
  flag,
  oneOf,
  line,
  textOf,
  hasControlCharacter,
  hasLoneSurrogate,
}
