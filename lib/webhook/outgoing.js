'use strict'

const { instantOf } = require('../options/instants')
const { describe } = require('../options/values')
const { checkOptions, fail } = require('../options/arguments')

/** An id that a header may carry. */
const ID = /^[\x21-\x7e]{1,256}$/

/**
 * Checks the options of `sign()`. Returns `{ id?, timestamp? }`, the timestamp in milliseconds
 * since 1970.
 */
function checkMessage(options, { signsId }, below) {
  const { id, timestamp } = checkOptions('sign', options, ['id', 'timestamp'], below)
  if (id !== undefined && (typeof id !== 'string' || !ID.test(id))) {
    fail(`id takes 1 to 256 visible ASCII characters, got ${describe(id)}.`, below)
  }
  if (signsId && id === undefined) {
    fail("id is required: this scheme signs it. A retry of a message keeps the message's id.", below)
  }
  return { id, timestamp: timestamp === undefined ? undefined : instantOf(timestamp) }
}

/**
 * An id must not contain what separates it from the rest in what is signed, such as the dot of
 * Standard Webhooks.
 */
function unfitId(below) {
  fail('id has a character that separates it from the rest in what is signed, such as a dot.', below)
}

module.exports = { checkMessage, unfitId }
