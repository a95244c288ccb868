'use strict'

const path = require('node:path')
const { fileURLToPath } = require('node:url')

const { InvalidOptionError } = require('./errors')
const { MOST_ITEMS, attempt, copyOfArray, copyOfObject, describeHidden } = require('./check')
const { flawOf } = require('./credential-text')
const { instantOf } = require('./instants')

const BRAND = Symbol.for('oauth-rotor.source')

/** Where a value is read from. */
function source(kind, detail) {
  return branded(BRAND, kind, detail)
}

/** What it says lives in a closure, so that printing it shows nothing but its kind. */
function branded(brand, kind, detail) {
  const made = { kind }
  Object.defineProperty(made, brand, { value: () => detail })
  return Object.freeze(made)
}

/** What a source of this package says: `{ kind, … }`. Undefined for anything else. */
function sourceDetail(value) {
  return attempt(() => value[BRAND]?.())
}

/**
 * One variable for a field, or two for a credential. Read when a manager is constructed, and again
 * as it runs.
 */
function fromEnv(...names) {
  if (names.length !== 1 && names.length !== 2) {
    fail('fromEnv', 'takes the name of one variable (a field) or of two (client id, client secret)', fromEnv)
  }
  for (const name of names) {
    if (typeof name !== 'string' || name === '' || /[=\0]/.test(name)) {
      const got =
        typeof name === 'string' && name !== '' ? 'a string that cannot be one' : describeHidden(name)
      const hint = "Give the name, not the value: fromEnv('CLIENT_ID'), not fromEnv(process.env.CLIENT_ID)"
      fail('fromEnv', `takes names of environment variables, got ${got}. ${hint}`, fromEnv)
    }
  }
  return names.length === 1
    ? source('env', { kind: 'env', variable: names[0] })
    : source('env-pair', { kind: 'env-pair', clientId: names[0], clientSecret: names[1] })
}

/** A file with one field. A relative path is resolved now. */
function fromFile(file) {
  return source('file', { kind: 'file', path: absolute(file, 'fromFile', fromFile) })
}

/**
 * Two files of one directory, such as a mounted Kubernetes secret; read as one, so that the pair
 * always fits.
 */
function fromDirectory(directory, names) {
  const { clientId, clientSecret, ...others } = copyOfObject(names) ?? {}
  for (const name of [clientId, clientSecret]) {
    const isName =
      typeof name === 'string' && name !== '' && !['.', '..'].includes(name) && !/[/\\\0]/.test(name)
    if (!isName || Object.keys(others).length > 0) {
      const usage = "{ clientId: 'client-id', clientSecret: 'client-secret' }, each the name of a file in it"
      fail('fromDirectory', `takes a directory and ${usage}`, fromDirectory)
    }
  }
  const resolved = absolute(directory, 'fromDirectory', fromDirectory)
  return source('directory', { kind: 'directory', directory: resolved, clientId, clientSecret })
}

/**
 * A dotenv file with both fields, or with one of them; one reading gives both. A relative path is resolved
 * now.
 */
function fromEnvFile(file, names) {
  const absolutePath = absolute(file, 'fromEnvFile', fromEnvFile)
  if (isVariable(names)) {
    return source('env-file', { kind: 'env-file', path: absolutePath, variable: names })
  }
  const { clientId, clientSecret, ...others } = copyOfObject(names) ?? {}
  const areNames = isVariable(clientId) && isVariable(clientSecret) && clientId !== clientSecret
  if (!areNames || Object.keys(others).length > 0) {
    const usage = "{ clientId: 'CLIENT_ID', clientSecret: 'CLIENT_SECRET' }, or 'CLIENT_SECRET' for one field"
    fail('fromEnvFile', `takes a path and ${usage}: ${VARIABLES}`, fromEnvFile)
  }
  return source('env-file-pair', { kind: 'env-file-pair', path: absolutePath, clientId, clientSecret })
}

/** The names that every reader of dotenv files knows. */
const VARIABLES = 'names of variables, of letters, digits, _, . and -'

function isVariable(name) {
  return typeof name === 'string' && /^[\w.-]{1,128}$/.test(name)
}

function absolute(file, option, below) {
  const text = typeof file === 'string' ? file : attempt(() => fileURLToPath(file))
  if (typeof text === 'string' && text !== '' && !text.includes('\0')) return path.resolve(text)
  return fail(option, `takes a path or a file: URL, got ${describeHidden(file)}`, below)
}

function fail(option, message, below) {
  const error = new InvalidOptionError(`Invalid option: ${option}() ${message}.`, {
    option,
    problems: Object.freeze([Object.freeze({ option, message: `${message}.` })]),
  })
  Error.captureStackTrace(error, below)
  throw error
}

/**
 * A reader of one variable, or of two as one credential; answers readings as the native part takes
 * them. `environment()` is asked each time: tests like to replace `process.env` as a whole, and then
 * with values that need not be texts. `what` names the field of one variable.
 */
function envReader(detail, environment, what) {
  const text = (name) => withoutNewline(String(environment()[name] ?? ''))
  const from = (name) => ` (in the environment variable ${shown(name)})`
  const read = () => {
    if (detail.kind === 'env') return textReading(text(detail.variable), what, from(detail.variable))
    const credential = { clientId: text(detail.clientId), clientSecret: text(detail.clientSecret) }
    return credentialReading([credential], {
      clientId: from(detail.clientId),
      clientSecret: from(detail.clientSecret),
    })
  }
  return { sync: true, read }
}

/**
 * Somebody may have passed the secret where its variable's name belongs: only what looks like a
 * name is printed, which is made of words, in capitals with a number at the end of some.
 */
function shown(name) {
  const looksLikeName =
    /^_*[A-Z]{1,20}\d{0,2}(_+([A-Z]{1,20}\d{0,2}|\d{1,2}))*$/.test(name) ||
    /^_*[a-z]{1,12}(_+[a-z]{1,12}){0,3}$/.test(name)
  if (looksLikeName && name.length <= 64) return name
  return `(${describeHidden(name)}, not shown: is this a value instead of a name?)`
}

/**
 * A reader of a user's function. It never throws or rejects, and passes on nothing of an error but
 * its kind. `what` names the field that it is for, where it is for one.
 */
function callbackReader(callback, what = 'text') {
  const read = async () => {
    try {
      return readingOf(await callback(), what)
    } catch (error) {
      return failed(`failed with ${kindOf(error)}, whose message is not repeated: it may hold a secret`)
    }
  }
  return { sync: false, read }
}

function readingOf(value, what) {
  if (value === undefined || value === null) return EMPTY
  if (typeof value === 'string') return textReading(withoutNewline(value), what)
  const list = copyOfArray(value) ?? [value]
  if (list.length === 0) return EMPTY
  if (list.length > MOST_ITEMS) return failed(`yields more than ${MOST_ITEMS} credentials`)
  const credentials = []
  for (const item of list) {
    const { label, clientId, clientSecret, expiresAt } = copyOfObject(item) ?? {}
    if (typeof clientId !== 'string' || typeof clientSecret !== 'string') {
      const got = copyOfObject(item) === undefined ? describeHidden(item) : 'an object without these texts'
      return failed(`has to yield { clientId, clientSecret } or the text of one field, and yields ${got}`)
    }
    if (label !== undefined && (typeof label !== 'string' || !LABEL.test(label))) {
      return failed('yields a credential whose label is not a line of 1 to 128 characters')
    }
    if (expiresAt !== undefined && instantOf(expiresAt) === undefined) {
      return failed('yields a credential whose expiresAt is no Date, ISO 8601 text or number of milliseconds')
    }
    credentials.push({
      ...(label === undefined ? {} : { label }),
      clientId: withoutNewline(clientId),
      clientSecret: withoutNewline(clientSecret),
      ...(expiresAt === undefined ? {} : { expiresAt: instantOf(expiresAt) }),
    })
  }
  return credentialReading(credentials)
}

const LABEL = /^\P{Cc}{1,128}$/u
const EMPTY = Object.freeze({ kind: 'empty' })

function textReading(value, what, from = '') {
  return value === '' ? EMPTY : (unfit(value, what, from) ?? { kind: 'text', value })
}

function credentialReading(list, from = {}) {
  if (list.some(({ clientId, clientSecret }) => clientId === '' || clientSecret === '')) {
    return list.length === 1 ? EMPTY : failed('yields a credential with an empty client id or secret')
  }
  for (const { clientId, clientSecret } of list) {
    const failure =
      unfit(clientId, 'client id', from.clientId) ?? unfit(clientSecret, 'client secret', from.clientSecret)
    if (failure !== undefined) return failure
  }
  return { kind: 'credentials', list }
}

function unfit(text, what, from = '') {
  const flaw = flawOf(text)
  if (flaw === undefined) return undefined
  return failed(`yields a ${what} with ${flaw}, which no client id or secret has${from}`)
}

function failed(message) {
  return { kind: 'error', message }
}

/** Editors and `echo` end a value with a line break that is no part of it. */
function withoutNewline(text) {
  return text.replace(/\r?\n$/, '')
}

const DEEPEST_CAUSE = 4

/** The name and code of an error, never its message: that may quote a request, and so a secret. */
function kindOf(error) {
  const name = attempt(() => error.name)
  const shownName =
    typeof name === 'string' && /^([A-Z][A-Za-z]{0,40})?(Error|Exception)$/.test(name) ? name : 'an error'
  const code = codeOf(error)
  return code === undefined ? shownName : `${shownName} (${code})`
}

/** The code of an error, or of what stands behind it: `fetch` rejects with a bare TypeError. */
function codeOf(error) {
  for (let at = error, depth = 0; at && depth <= DEEPEST_CAUSE; at = attempt(() => at.cause), depth++) {
    const code = attempt(() => at.code)
    if (Number.isInteger(code) || (typeof code === 'string' && /^[A-Z][A-Z_]{1,40}$/.test(code))) return code
  }
  return undefined
}

module.exports = {
  fromEnv,
  fromFile,
  fromDirectory,
  fromEnvFile,
  isVariable,
  VARIABLES,
  shown,
  sourceDetail,
  envReader,
  callbackReader,
  absolute,
  branded,
  fail,
  codeOf,
  kindOf,
}
