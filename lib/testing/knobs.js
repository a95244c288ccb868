'use strict'

const { describe } = require('../options/values')
const { isClock } = require('../clock')
const { checkMillis, checkObject } = require('../options/plain')

/** The longest that a timer waits. */
const LONGEST_WAIT_MS = 2_147_483_647

/**
 * Checks knobs by a table of `[default, check]`. Throws a TypeError before any is changed. Omits
 * those that are undefined.
 */
function checkKnobs(table, given, what, besides = []) {
  const knobs = checkObject(given, [...Object.keys(table), ...besides], what)
  for (const [name, value] of Object.entries(knobs)) {
    if (value === undefined) delete knobs[name]
    else if (name in table) knobs[name] = table[name][1](value, name)
  }
  return knobs
}

/** Returns all knobs and the clock of a new server. */
function parseOptions(table, options, what) {
  const { clock, ...given } = checkKnobs(table, options, what, ['clock'])
  if (clock !== undefined && !isClock(clock)) {
    throw new TypeError(`clock takes what createClock() returns, got ${describe(clock)}.`)
  }
  const defaults = Object.entries(table).map(([name, [value, check]]) => [name, check(value, name)])
  return { clock, knobs: { ...Object.fromEntries(defaults), ...given } }
}

/** Makes a check for values that fit. `what` says in words which ones do. */
function takes(what, fits) {
  return (value, name) => {
    if (fits(value)) return value
    throw new TypeError(`${name} takes ${what}, got ${describe(value)}.`)
  }
}

function isCount(value) {
  return Number.isSafeInteger(value) && value >= 1
}

function isErrorStatus(value) {
  return Number.isInteger(value) && value >= 400 && value <= 599
}

const duration = (value, name) => checkMillis(value, name, { max: LONGEST_WAIT_MS })
const flag = takes('true or false', (value) => typeof value === 'boolean')
const word = (...words) => takes(words.map((one) => `'${one}'`).join(', '), (value) => words.includes(value))

/** Checks the knob `outage`: see `outageAnswer`. */
const outage = takes("true, false, 'html', or a status from 400 to 599", (value) => {
  return typeof value === 'boolean' || value === 'html' || isErrorStatus(value)
})

const rateLimit = takes('{ burst, perMs }, whole numbers from 1, or null', (value) => {
  return value === null || (isCount(value?.burst) && isCount(value.perMs))
})

module.exports = {
  checkKnobs,
  duration,
  flag,
  isCount,
  isErrorStatus,
  outage,
  parseOptions,
  rateLimit,
  takes,
  word,
}
