'use strict'

const { InvalidArgumentError } = require('../errors')

/**
 * Returns the value of a header as a string, or undefined if it is missing. Takes the headers of
 * Node.js, of fetch, and any object with their names in any case. Joins repeated headers as Node.js
 * does.
 */
function headerOf(headers, name) {
  if (headers === null || typeof headers !== 'object') {
    throw new InvalidArgumentError('verify(body, headers) takes the headers of the request: request.headers.')
  }
  if (typeof headers.get === 'function') return textOf(headers.get(name))
  const value = headers[name]
  if (value !== undefined) return textOf(value)
  for (const key of Object.keys(headers)) {
    if (key.length === name.length && key.toLowerCase() === name) return textOf(headers[key])
  }
  return undefined
}

function textOf(value) {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ')
  return undefined
}

module.exports = { headerOf }
