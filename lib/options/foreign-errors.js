'use strict'

const { attempt } = require('./values')

const DEEPEST_CAUSE = 4

/**
 * Returns the name and code of an error, but not its message, which may quote a secret of a
 * request.
 */
function kindOf(error) {
  const name = attempt(() => error.name)
  const shownName =
    typeof name === 'string' && /^([A-Z][A-Za-z]{0,40})?(Error|Exception)$/.test(name) ? name : 'an error'
  const code = codeOf(error)
  return code === undefined ? shownName : `${shownName} (${code})`
}

/** Returns the code of an error or of its causes: the TypeError of `fetch` has none itself. */
function codeOf(error) {
  for (let at = error, depth = 0; at && depth <= DEEPEST_CAUSE; at = attempt(() => at.cause), depth++) {
    const code = attempt(() => at.code)
    if (Number.isInteger(code) || (typeof code === 'string' && /^[A-Z][A-Z_]{1,40}$/.test(code))) return code
  }
  return undefined
}

module.exports = { codeOf, kindOf }
