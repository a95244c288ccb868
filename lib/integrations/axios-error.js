'use strict'

/**
 * Takes the token out of what axios resolves and rejects with: logs print it, and a retry would send it again. The
 * request of Node.js stays, out of the sight of loggers: it has its headers as text.
 */
function withoutToken(outcome) {
  hide(outcome)
  if (outcome?.response) hide(outcome.response)
  return outcome
}

function hide(part) {
  const headers = part?.config?.headers
  // Not deleted: V8 would make a slow object of it.
  if (headers?.Authorization !== undefined) headers.Authorization = undefined
  if (part?.request) Reflect.defineProperty(part, 'request', { enumerable: false })
}

module.exports = { withoutToken }
