'use strict'

const { credentialText } = require('./credential-text')
const { callbackReader, envReader } = require('./readers')
const { sourceDetail } = require('./sources')
const { shown } = require('./variables')

/**
 * Returns a field as the native part takes it: a string, or where to read one. `context` collects
 * the sources that only JavaScript can read.
 */
function field(value, place, { context, optional, what }) {
  const takes =
    'a string, fromEnv(variable), fromFile(path), fromEnvFile(path, variable) or a function that returns a string'
  const detail = sourceDetail(value)
  if (typeof value === 'function') return javascript(callbackReader(value, what), null, context)
  if (detail?.kind === 'env') return environment(detail, place, { context, optional, what })
  if (detail?.kind === 'file') return { kind: 'file', path: detail.path }
  if (detail?.kind === 'env-file') return { kind: 'envFile', path: detail.path, variable: detail.variable }
  if (detail !== undefined)
    return place.fail(`takes one field, got a source of a whole credential. Use ${takes}.`)
  const text = credentialText(value, place, { what: takes })
  return text === undefined ? undefined : { kind: 'value', value: text }
}

/**
 * Reads variables at once, so that a missing one is reported when the manager is created, not with
 * the first token.
 */
function environment(detail, place, { context, optional, what }) {
  const reader = envReader(detail, context.environment, what)
  const reading = reader.read()
  if (reading.kind === 'error') place.fail(`${reading.message}.`)
  if (reading.kind === 'empty' && !optional) place.fail(`needs ${missing(detail, context.environment())}.`)
  if (reading.kind === 'credentials') checkClientId(reading.list[0].clientId, place, context)
  return javascript(reader, reading, context)
}

function javascript(reader, reading, { sources, initial }) {
  sources.push(reader)
  initial.push(reading)
  return { kind: 'js', index: sources.length - 1 }
}

function checkClientId(clientId, place, { clientAuth }) {
  if (clientAuth === 'basic-raw' && clientId?.includes(':')) {
    place.fail(
      "has a client id with a colon, which clientAuth 'basic-raw' cannot carry (RFC 7617 §2). Use 'basic'.",
    )
  }
}

function missing(detail, env) {
  const unset = namesOf(detail).filter((name) => !String(env[name] ?? '').replace(/\r?\n$/, ''))
  return unset.length === 1
    ? `the environment variable ${shown(unset[0])}, which is not set or empty`
    : `the environment variables ${unset.map(shown).join(' and ')}, which are not set or empty`
}

function namesOf(detail) {
  return detail.kind === 'env' ? [detail.variable] : [detail.clientId, detail.clientSecret]
}

module.exports = { checkClientId, environment, field, javascript }
