'use strict'

const { isClock } = require('../clock')
const { attempt, describeHidden } = require('./values')

/** A parser for a clock of `createClock()`. */
function parseClock(value, place) {
  if (value === undefined || attempt(() => isClock(value))) return value
  return place.fail(
    `takes what createClock() of 'oauth-rotor/testing' returns, got ${describeHidden(value)}.`,
  )
}

module.exports = { parseClock }
