'use strict'

const path = require('node:path')
const { fileURLToPath } = require('node:url')

const { InvalidOptionError } = require('../errors')
const { attempt, describeHidden } = require('./values')

/**
 * Makes a frozen object that shows only its kind when it is printed. A closure holds the details.
 */
function branded(brand, kind, detail) {
  const made = { kind }
  Object.defineProperty(made, brand, { value: () => detail })
  return Object.freeze(made)
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

module.exports = { branded, absolute, fail }
