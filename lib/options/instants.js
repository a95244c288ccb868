'use strict'

const { types } = require('node:util')

const { attempt, describe } = require('./values')

/** An earlier number is most likely in seconds. */
const EARLIEST = Date.UTC(2000, 0, 1)
/** The last whole day that has a local text in every time zone. */
const LATEST = Date.UTC(9999, 11, 29)

/**
 * ISO 8601 with an offset. Without one, a time would mean different instants on different machines.
 */
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-](\d\d):(\d\d)))?$/

const WHAT =
  "a Date, an ISO 8601 text with its offset (such as '2027-01-31T00:00:00Z') or milliseconds since 1970"

/** Returns milliseconds since 1970, or undefined for anything but an instant from 2000 to 9999. */
function instantOf(value) {
  const millis = millisOf(value)
  return Number.isInteger(millis) && millis >= EARLIEST && millis <= LATEST ? millis : undefined
}

function millisOf(value) {
  if (types.isDate(value)) return attempt(() => Number(value))
  return exists(value) ? Date.parse(value) : value
}

/**
 * Whether a string is an instant that exists. `Date.parse` accepts 30 February as 2 March, and
 * 24:00 as the next day.
 */
function exists(value) {
  const parts = typeof value === 'string' ? ISO.exec(value) : null
  if (parts === null) return false
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = parts
    .slice(1)
    .map((part) => Number(part ?? 0))
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isDay && Math.max(hour, offsetHour) < 24 && Math.max(minute, second, offsetMinute) < 60
}

/** A parser for an instant. Returns milliseconds since 1970. */
function instant(value, place) {
  if (value === undefined) return undefined
  const millis = instantOf(value)
  if (millis !== undefined) return millis
  const isInSeconds = typeof value === 'number' && value > 0 && value < EARLIEST
  const hint = isInSeconds ? ' It seems to be in seconds: multiply it by 1000.' : ''
  const isText = typeof value === 'string' && ISO.test(value)
  const text = () => (exists(value) ? 'one outside of that' : 'one that does not exist')
  const got = types.isDate(value) ? 'an invalid Date' : isText ? text() : describe(value)
  return place.fail(`takes ${WHAT}, from the year 2000 to 9999, got ${got}.${hint}`)
}

module.exports = { instant, instantOf }
