'use strict'

const { duration, flag, isCount, outage, rateLimit, takes } = require('./knobs')

/** The form of an integration key. */
const ROUTING_KEY = /^[0-9A-Za-z]{32}$/

/** The knobs of a fake PagerDuty, each with its default and its check. */
const KNOBS = {
  routingKeys: [null, checkRoutingKeys],
  latencyMs: [0, duration],
  rateLimit: [null, rateLimit],
  outage: [false, outage],
  dropResponse: [false, flag],
  maxBytes: [524_288, takes('a whole number from 1', isCount)],
  tooLargeStatus: [413, takes('400 or 413', (value) => value === 400 || value === 413)],
}

function checkRoutingKeys(value, name) {
  if (value === null) return value
  const isKey = (key) => typeof key === 'string' && ROUTING_KEY.test(key)
  // A copy, because the test may change its array.
  if (Array.isArray(value) && value.every(isKey)) return [...value]
  return takes('an array of keys of 32 letters and digits, or null', () => false)(value, name)
}

module.exports = { KNOBS }
