'use strict'

// The messages are PagerDuty's where these are published. The others are modelled on them.

const ACTIONS = ['trigger', 'acknowledge', 'resolve']
const SEVERITIES = ['critical', 'warning', 'error', 'info']
const LONGEST_SUMMARY = 1024
const LONGEST_DEDUP_KEY = 255

/** Returns the JSON object in a body, or undefined if there is none. */
function readEvent(body) {
  try {
    const value = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether PagerDuty treats a member as missing. */
function isBlank(value) {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}

/** Returns everything that is wrong with an alert event. */
function alertErrors(event, routingKeys) {
  return [
    ...routingKeyErrors(event.routing_key, routingKeys),
    ...choiceErrors('event_action', event.event_action, ACTIONS),
    ...dedupKeyErrors(event),
    // The payload of acknowledge and resolve is not checked.
    ...(event.event_action === 'trigger' ? detailErrors(event.payload) : []),
  ]
}

/** Returns everything that is wrong with a change event, which needs only a summary. */
function changeErrors(event, routingKeys) {
  return [...routingKeyErrors(event.routing_key, routingKeys), ...summaryErrors(event.payload?.summary)]
}

function routingKeyErrors(key, known) {
  if (isBlank(key)) return ["'routing_key' cannot be blank"]
  const errors = []
  // Anything but a string is checked as an empty one.
  const text = typeof key === 'string' ? key : ''
  if (text.length !== 32) errors.push("Length of 'routing_key' is incorrect (should be 32 characters)")
  if (!/^[0-9A-Za-z]*$/.test(text)) errors.push("'routing_key' cannot contain non-alphanumeric characters.")
  const isUnknown = known !== null && !known.includes(key)
  return errors.length === 0 && isUnknown ? ['Invalid routing key'] : errors
}

function dedupKeyErrors({ event_action: action, dedup_key: key }) {
  const isNeeded = action === 'acknowledge' || action === 'resolve'
  if (isBlank(key)) return isNeeded ? missing('dedup_key') : []
  if (typeof key !== 'string') return noString('dedup_key')
  if (lengthOf(key) <= LONGEST_DEDUP_KEY) return []
  return [`'dedup_key' is too long (maximum is ${LONGEST_DEDUP_KEY} characters)`]
}

function detailErrors(payload) {
  return [
    ...summaryErrors(payload?.summary),
    ...textErrors('payload.source', payload?.source),
    ...choiceErrors('payload.severity', payload?.severity, SEVERITIES),
  ]
}

function summaryErrors(summary) {
  const errors = textErrors('payload.summary', summary)
  if (errors.length > 0 || lengthOf(summary) <= LONGEST_SUMMARY) return errors
  // Spelled as PagerDuty spells it.
  return [`'summary' is too long (maiximum is ${LONGEST_SUMMARY} characters)`]
}

function textErrors(name, value) {
  if (isBlank(value)) return missing(name)
  return typeof value === 'string' ? [] : noString(name)
}

function choiceErrors(name, value, words) {
  if (isBlank(value)) return missing(name)
  if (words.includes(value)) return []
  const quoted = words.map((word) => `'${word}'`)
  const list = `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
  return [`'${name}' is invalid (must be one of the following: ${list})`]
}

function missing(name) {
  return [`'${name}' is missing or blank`]
}

function noString(name) {
  return [`'${name}' is invalid (must be a string)`]
}

/** Counts characters: an emoji is one. */
function lengthOf(text) {
  return [...text].length
}

module.exports = { alertErrors, changeErrors, isBlank, readEvent }
