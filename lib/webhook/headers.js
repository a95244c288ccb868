'use strict'

const { InvalidArgumentError } = require('../errors')

/**
 * The value of a header, as a text. Undefined if it is not there. Takes the headers of Node.js, of
 * fetch, and any object with their names in any case; what came several times is joined as Node.js
 * joins it.
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
