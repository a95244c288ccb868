'use strict'

const { attempt } = require('./values')

const DEEPEST_CAUSE = 4

/** The name and code of an error. Never its message, which may quote a request and so a secret. */
function kindOf(error) {
  const name = attempt(() => error.name)
  const shownName =
    typeof name === 'string' && /^([A-Z][A-Za-z]{0,40})?(Error|Exception)$/.test(name) ? name : 'an error'
  const code = codeOf(error)
  return code === undefined ? shownName : `${shownName} (${code})`
}

/** The code of an error or of its cause: `fetch` rejects with a bare TypeError. */
function codeOf(error) {
  for (let at = error, depth = 0; at && depth <= DEEPEST_CAUSE; at = attempt(() => at.cause), depth++) {
    const code = attempt(() => at.code)
    if (Number.isInteger(code) || (typeof code === 'string' && /^[A-Z][A-Z_]{1,40}$/.test(code))) return code
  }
  return undefined
}

module.exports = { codeOf, kindOf }
