'use strict'

const { describeHidden } = require('./values')

/** Names that every reader of dotenv files accepts. */
const VARIABLES = 'names of variables, of letters, digits, _, . and -'

function isVariable(name) {
  return typeof name === 'string' && /^[\w.-]{1,128}$/.test(name)
}

/**
 * Returns the name of a variable if it looks like one: words in lower case, or in capitals with
 * numbers. Somebody may have passed the secret instead of the variable's name.
 */
function shown(name) {
  const looksLikeName =
    /^_*[A-Z]{1,20}\d{0,2}(_+([A-Z]{1,20}\d{0,2}|\d{1,2}))*$/.test(name) ||
    /^_*[a-z]{1,12}(_+[a-z]{1,12}){0,3}$/.test(name)
  if (looksLikeName && name.length <= 64) return name
  return `(${describeHidden(name)}, not shown: is this a value instead of a name?)`
}

module.exports = { VARIABLES, isVariable, shown }
