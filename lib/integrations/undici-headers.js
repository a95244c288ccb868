'use strict'

const { authorizationOf } = require('./authorized-requests')

/**
 * Returns headers that can be read more than once. An iterable of pairs, such as `Headers` and
 * `Map`, becomes an object.
 */
function readable(headers) {
  if (typeof headers?.[Symbol.iterator] !== 'function' || typeof headers[0] === 'string') return headers
  const object = { __proto__: null }
  for (const [name, value] of headers) object[name] = name in object ? [object[name], value].flat() : value
  return object
}

function hasAuthorization(headers) {
  if (!Array.isArray(headers)) return authorizationOf(headers) !== undefined
  return headers.some((name, index) => index % 2 === 0 && String(name).toLowerCase() === 'authorization')
}

function withToken(headers, token) {
  const authorization = `Bearer ${token}`
  return Array.isArray(headers) ? [...headers, 'authorization', authorization] : { ...headers, authorization }
}

module.exports = { hasAuthorization, readable, withToken }
