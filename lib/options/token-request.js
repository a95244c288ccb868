'use strict'

const { version } = require('../../package.json')
const { hasLoneSurrogate, hasTooMany, oneOrMore, textOf } = require('./parsers')
const { isUrl } = require('./url')
const { copyOfArray, copyOfObject, describeHidden, describeName, isArray } = require('./values')

function scope(value, place) {
  if (isArray(value)) {
    return place.fail("takes one string, its names separated by spaces: scopes.join(' ').")
  }
  return textOf(value, place, { what: 'a string of names separated by spaces' })
}

function resources(value, place) {
  if (value === undefined) return []
  return oneOrMore(value, place).map(([item, at]) => resource(item, at))
}

function resource(value, place) {
  const text = isUrl(value) ? value.href : value
  if (typeof text === 'string' && URL.canParse(text) && !text.includes('#') && text === text.trim()) {
    return text
  }
  return place.fail(`takes an absolute URI without a fragment (RFC 8707 §2), got ${describeName(text)}.`)
}

/**
 * Parameters that have their own option, and those that authenticate a client, which may use only
 * one method (RFC 6749 §2.3).
 */
const RESERVED = {
  grant_type: 'it is always client_credentials',
  client_id: 'it comes from the credentials',
  client_secret: 'it comes from the credentials',
  client_assertion: 'the client authenticates by its secret',
  client_assertion_type: 'the client authenticates by its secret',
  scope: 'use the option scope',
  audience: 'use the option audience',
  resource: 'use the option resource',
}

function parameters(value, place) {
  if (value === undefined) return []
  const copy = copyOfObject(value)
  if (copy === undefined) return place.fail(`takes an object of strings, got ${describeHidden(value)}.`)
  if (hasTooMany(Object.keys(copy), place)) return []
  return Object.entries(copy).map(([name, text]) => {
    const at = place.key(name)
    if (Object.hasOwn(RESERVED, name)) return at.fail(`cannot be set here: ${RESERVED[name]}.`)
    if (name === '') return at.fail('has an empty name.')
    if (hasLoneSurrogate(name)) return at.fail('has a name that is not well-formed Unicode.')
    if (typeof text !== 'string') return at.fail(`takes a string, got ${describeHidden(text)}.`)
    if (hasLoneSurrogate(text)) return at.fail('takes a string of well-formed Unicode.')
    return [name, text]
  })
}

/**
 * Codes that a server uses instead of `invalid_client` (RFC 6749 A.7: visible ASCII and blanks).
 */
function errorCodes(value, place) {
  if (value === undefined) return []
  const list = copyOfArray(value)
  const usage = "a list of error codes, such as ['invalid_client_id']"
  if (list === undefined) return place.fail(`takes ${usage}, got ${describeHidden(value)}.`) ?? []
  if (hasTooMany(list, place)) return []
  return list.map((item, index) => {
    const at = place.item(index)
    const code = textOf(item, at, { what: 'an error code', max: 128 })
    if (code === undefined || /^[!-9;-~]([ !-9;-~]*[!-9;-~])?$/.test(code)) return code
    return at.fail('takes an error code: visible ASCII characters without a colon, and no blank at its ends.')
  })
}

/** The `User-Agent` of all requests (RFC 9110 §10.1.5). */
function userAgent(value, place) {
  if (value === undefined) return `oauth-rotor/${version}`
  const what = "a User-Agent, such as 'acme-webhooks/1.2 (ops@acme.example)'"
  const text = textOf(value, place, { what, max: 256 })
  if (text === undefined || /^[!-~]([ -~]*[!-~])?$/.test(text)) return text
  return place.fail(`takes ${what}: visible ASCII characters, and no blank at its ends.`)
}

module.exports = { errorCodes, parameters, resources, scope, userAgent }
