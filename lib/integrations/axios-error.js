'use strict'

const { inspect } = require('node:util')

/**
 * Removes the token from what axios resolves and rejects with: it would be logged, and a retry
 * would send it again. The request of Node.js has its headers as text. It stays, but prints as its
 * name.
 */
function withoutToken(outcome) {
  conceal(outcome)
  if (outcome?.response) conceal(outcome.response)
  return outcome
}

function conceal(part) {
  const headers = part?.config?.headers
  // Not deleted, because that would make it a slow object in V8.
  if (headers?.Authorization !== undefined) headers.Authorization = undefined
  nameOnly(part?.request)
  // axios makes its requests through follow-redirects, which wraps the request of Node.js.
  nameOnly(part?.request?._redirectable)
}

/**
 * Makes a request print as its name. Hiding the member is not enough: sockets and streams lead to
 * it as well.
 */
function nameOnly(request) {
  if (typeof request !== 'object' || request === null || !Object.isExtensible(request)) return
  request[inspect.custom] = nameOf
  request.toJSON = nameOf
}

function nameOf() {
  return `[${this.constructor?.name}]`
}

module.exports = { withoutToken }
