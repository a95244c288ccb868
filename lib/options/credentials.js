'use strict'

const { checkClientId, environment, field, javascript } = require('./fields')
const { instant } = require('./instants')
const { flag, line, object, oneOrMore } = require('./parsers')
const { parsePersist, variablesInFile } = require('./persist')
const { callbackReader } = require('./readers')
const { sourceDetail } = require('./sources')
const { copyOfObject, describeHidden, isPromise } = require('./values')

/**
 * Parses the `credentials` option. Returns:
 *
 * - `entries`, as the native part takes them,
 * - `sources`, those that only JavaScript can read,
 * - `initial`, the first reading of each of these; null if it is asynchronous,
 * - `persistFunctions`, the user's `persist` functions,
 * - `variables`, those of each entry, with the file that takes precedence over them.
 */
function parseCredentials(value, place, { environment, clientAuth }) {
  const context = { environment, clientAuth, sources: [], initial: [], persistFunctions: [] }
  if (value === undefined) {
    place.fail("is required, such as fromEnv('CLIENT_ID', 'CLIENT_SECRET') or { clientId, clientSecret }.")
  }
  const items = oneOrMore(value, place)
  if (items.length === 0) place.fail('takes at least one credential, got an empty list.')
  const parsed = items.map(([item, at]) => entry(item, at, context))
  const { sources, initial, persistFunctions } = context
  const named = items.map(([item]) => variablesOf(item))
  const entries = parsed.map((one, i) => {
    const hasVariables = Object.values(named[i]).some((variable) => variable !== undefined)
    return hasVariables ? { ...one, hasVariables } : one
  })
  const variables = named.map((names, i) => {
    return entries[i]?.source.kind === 'fronted' ? { ...names, file: entries[i].persist } : names
  })
  return { entries, sources, initial, persistFunctions, variables }
}

function entry(value, place, context) {
  const detail = sourceDetail(value)
  if (typeof value === 'function')
    return { optional: false, source: javascript(callbackReader(value), null, context) }
  if (detail?.kind === 'env-pair') {
    return { optional: false, source: environment(detail, place, { context, optional: false }) }
  }
  if (detail?.kind === 'directory') return { optional: false, source: { ...detail } }
  if (detail?.kind === 'env-file-pair') {
    const { path, clientId, clientSecret } = detail
    const source = {
      kind: 'fields',
      clientId: { kind: 'envFile', path, variable: clientId },
      clientSecret: { kind: 'envFile', path, variable: clientSecret },
    }
    return { optional: false, source, persist: variablesInFile(detail) }
  }
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
  const { label, optional, expiresAt, ...given } = object(value, place, {
    label: line({ what: 'a line of text' }),
    optional: flag({ otherwise: false }),
    clientId: (given) => given,
    clientSecret: (given) => given,
    expiresAt: instant,
    persist: (given, at) => parsePersist(given, at, context.persistFunctions),
  })
  const { clientId, clientSecret } = copyOfObject(value)
  const at = { context, optional: optional === true }
  const source = {
    kind: 'fields',
    clientId: field(clientId, place.key('clientId'), { ...at, what: 'client id' }),
    clientSecret: field(clientSecret, place.key('clientSecret'), { ...at, what: 'client secret' }),
  }
  checkClientId(source.clientId?.value, place.key('clientId'), context)
  const persist = (given.persist === undefined ? defaultPersist(source) : given.persist) || undefined
  const front = sourceDetail(clientSecret)?.kind === 'env' ? frontOf(source, persist) : undefined
  return {
    ...(label === undefined ? {} : { label }),
    optional: optional === true,
    source: front === undefined ? source : { kind: 'fronted', front, source },
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(persist === undefined ? {} : { persist }),
  }
}

/** Returns the default of `persist`: the dotenv file that the secret is read from. */
function defaultPersist({ clientId, clientSecret }) {
  if (clientSecret?.kind !== 'envFile') return undefined
  const { path, variable } = clientSecret
  const isSameFile = clientId?.kind === 'envFile' && clientId.path === path && clientId.variable !== variable
  return variablesInFile({
    path,
    clientId: isSameFile ? clientId.variable : undefined,
    clientSecret: variable,
  })
}

/**
 * Returns what takes precedence over a secret from the environment: the file that new secrets are
 * persisted in. A process manager restarts the program with the environment of its first start.
 */
function frontOf({ clientId }, persist) {
  if (persist?.kind === 'secretFile') {
    return { kind: 'fields', clientId, clientSecret: { kind: 'file', path: persist.path } }
  }
  if (persist?.kind !== 'envFile') return undefined
  const variable = (name) => ({ kind: 'envFile', path: persist.path, variable: name })
  return {
    kind: 'fields',
    clientId: persist.clientId === undefined ? clientId : variable(persist.clientId),
    clientSecret: variable(persist.clientSecret),
  }
}

/**
 * Returns the environment variables of an entry, or of its fields: `{ clientId?, clientSecret? }`.
 */
function variablesOf(entry) {
  const detail = sourceDetail(entry)
  if (detail?.kind === 'env-pair') return { clientId: detail.clientId, clientSecret: detail.clientSecret }
  const { clientId, clientSecret } = copyOfObject(entry) ?? {}
  const variable = (value) => {
    const field = sourceDetail(value)
    return field?.kind === 'env' ? field.variable : undefined
  }
  return { clientId: variable(clientId), clientSecret: variable(clientSecret) }
}

module.exports = { parseCredentials }
