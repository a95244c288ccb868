'use strict'

const { createHmac } = require('node:crypto')
const { WebhookSigner } = require('../..')
const { createClock } = require('../../lib/testing')
const { closing } = require('./world')

/** A signer, which the test's end closes. */
function signer(options) {
  return closing(new WebhookSigner({ scheme: 'pagerduty', ...options }))
}

/** The same with a clock of its own. */
function clockedSigner(options) {
  const clock = createClock()
  return { clock, signer: signer({ clock, ...options }) }
}

/** The signatures that a body carries, without their version. */
function signatures(headers) {
  const value = headers['X-PagerDuty-Signature']
  return value.split(',').map((entry) => entry.replace('v1=', ''))
}

/** The signature of a body, by Node.js. */
function tag(key, body, encoding = 'hex') {
  return createHmac('sha256', key).update(body).digest(encoding)
}

/** The headers of a request as a receiver gets them. */
function received(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** What a call throws; returning is a failure. */
function thrown(call) {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}

module.exports = { clockedSigner, received, signatures, signer, tag, thrown }
