'use strict'

const { flawOf } = require('./credential-text')
const { kindOf } = require('./foreign-errors')
const { instantOf } = require('./instants')
const { MOST_ITEMS, copyOfArray, copyOfObject, describeHidden } = require('./values')
const { shown } = require('./variables')

/**
 * Makes a reader of one variable, or of two as one credential. It returns readings as the native
 * part takes them. It calls `environment()` each time: tests replace `process.env` as a whole,
 * sometimes with values that are not strings. `what` names the field of a single variable.
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
 * Makes a reader of a user's function. It never throws or rejects, and passes on only the kind of
 * an error. `what` names the field that it reads, if it reads only one.
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
  if (what === 'key') return failed(`has to yield a key as a text, and yields ${describeHidden(value)}`)
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
  const none = what === 'key' ? 'no key' : 'no client id or secret'
  return failed(`yields a ${what} with ${flaw}, which ${none} has${from}`)
}

function failed(message) {
  return { kind: 'error', message }
}

/** Editors and `echo` end a value with a line break that does not belong to it. */
function withoutNewline(text) {
  return text.replace(/\r?\n$/, '')
}

module.exports = { callbackReader, envReader }
