'use strict'

const check = require('./check')
const { copyOfArray, copyOfObject, credentialText, describeHidden, flag, isPromise, line, object } = check
const { instant } = require('./instants')
const { parseSink } = require('./sinks')
const { callbackReader, envReader, sourceDetail } = require('./sources')

/**
 * Reads the `credentials` option into `{ entries, sources, initial, sinks, variables }`: the entries
 * as the native part takes them, the sources that only JavaScript can read, what those of them yield
 * that can be read at once, the functions that promoted credentials are written back to, and the
 * variables of each entry.
 */
function parseCredentials(value, place, { environment, clientAuth }) {
  const context = { environment, clientAuth, sources: [], initial: [], sinks: [] }
  const list = copyOfArray(value)
  if (value === undefined) {
    place.fail("is required, such as fromEnv('CLIENT_ID', 'CLIENT_SECRET') or { clientId, clientSecret }.")
  } else if (list?.length === 0) {
    place.fail('takes at least one credential, got an empty list.')
  }
  const parsed =
    list === undefined
      ? [entry(value, place, context)]
      : list.map((item, i) => entry(item, place.item(i), context))
  const { sources, initial, sinks } = context
  const variables = (list ?? [value]).map(variablesOf)
  const entries = parsed.map((one, i) => {
    const hasVariables = Object.values(variables[i]).some((variable) => variable !== undefined)
    return hasVariables ? { ...one, hasVariables } : one
  })
  return { entries, sources, initial, sinks, variables }
}

function entry(value, place, context) {
  const detail = sourceDetail(value)
  if (typeof value === 'function')
    return { optional: false, source: javascript(callbackReader(value), null, context) }
  if (detail?.kind === 'env-pair') {
    return { optional: false, source: environment(detail, place, { context, optional: false }) }
  }
  if (detail?.kind === 'directory') return { optional: false, source: { ...detail } }
  if (detail !== undefined) {
    const usage = "{ clientId: fromEnv('CLIENT_ID'), clientSecret: fromFile('/run/secrets/client') }"
    return place.fail(`takes a whole credential, got a source of one field. Use it for a field: ${usage}.`)
  }
  if (isPromise(value)) {
    return place.fail('takes a function that returns a promise, got the promise. Give the function itself.')
  }
  if (copyOfObject(value) === undefined) {
    return place.fail(`takes a source or { clientId, clientSecret }, got ${describeHidden(value)}.`)
  }
  return fields(value, place, context)
}

function fields(value, place, context) {
  const { label, optional, expiresAt, persist } = object(value, place, {
    label: line({ what: 'a line of text' }),
    optional: flag({ otherwise: false }),
    clientId: (given) => given,
    clientSecret: (given) => given,
    expiresAt: instant,
    persist: (given, at) => parseSink(given, at, context.sinks),
  })
  const { clientId, clientSecret } = copyOfObject(value)
  const at = { context, optional: optional === true }
  const source = {
    kind: 'fields',
    clientId: field(clientId, place.key('clientId'), at),
    clientSecret: field(clientSecret, place.key('clientSecret'), at),
  }
  checkClientId(source.clientId?.value, place.key('clientId'), context)
  return {
    ...(label === undefined ? {} : { label }),
    optional: optional === true,
    source,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(persist === undefined ? {} : { persist }),
  }
}

function field(value, place, { context, optional }) {
  const what = 'a string, fromEnv(variable), fromFile(path) or a function that returns a string'
  const detail = sourceDetail(value)
  if (typeof value === 'function') return javascript(callbackReader(value), null, context)
  if (detail?.kind === 'env') return environment(detail, place, { context, optional })
  if (detail?.kind === 'file') return { kind: 'file', path: detail.path }
  if (detail !== undefined)
    return place.fail(`takes one field, got a source of a whole credential. Use ${what}.`)
  const text = credentialText(value, place, { what })
  return text === undefined ? undefined : { kind: 'value', value: text }
}

/**
 * Variables are read now, so that a missing one is told where the manager is made and not at the
 * first token.
 */
function environment(detail, place, { context, optional }) {
  const reader = envReader(detail, context.environment)
  const reading = reader.read()
  if (reading.kind === 'error') place.fail(`comes from ${variables(detail)}; the value ${reading.message}.`)
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

/** The variables that an entry, or a field of it, comes from: `{ clientId?, clientSecret? }`. */
function variablesOf(entry) {
  const detail = sourceDetail(entry)
  if (detail?.kind === 'env-pair') return { clientId: detail.clientId, clientSecret: detail.clientSecret }
  const { clientId, clientSecret } = copyOfObject(entry) ?? {}
  return { clientId: sourceDetail(clientId)?.variable, clientSecret: sourceDetail(clientSecret)?.variable }
}

function missing(detail, env) {
  const unset = namesOf(detail).filter((name) => !String(env[name] ?? '').replace(/\r?\n$/, ''))
  return unset.length === 1
    ? `the environment variable ${shown(unset[0])}, which is not set or empty`
    : `the environment variables ${unset.map(shown).join(' and ')}, which are not set or empty`
}

function variables(detail) {
  return `the environment (${namesOf(detail).map(shown).join(', ')})`
}

function namesOf(detail) {
  return detail.kind === 'env' ? [detail.variable] : [detail.clientId, detail.clientSecret]
}

/**
 * Somebody may have passed the secret where its variable's name belongs: only what looks like a
 * name is printed.
 */
function shown(name) {
  const looksLikeName =
    /^([A-Z_][A-Z0-9_]*|[a-z_][a-z0-9_]*)$/.test(name) && (/_/.test(name) || !/\d/.test(name))
  return looksLikeName && name.length <= 64 ? name : '(not shown: is this a value instead of a name?)'
}

module.exports = { checkClientId, parseCredentials }
