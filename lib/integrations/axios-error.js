'use strict'

/**
 * Takes the token out of what axios resolves and rejects with: logs print it, and a retry would send it again. The
 * request of Node.js stays, out of the sight of loggers: it has its headers as text.
 */
function withoutToken(outcome) {
  for (const part of [outcome, outcome?.response]) {
    const headers = part?.config?.headers
    if (typeof headers?.delete === 'function') headers.delete('Authorization')
    if (part?.request) Reflect.defineProperty(part, 'request', { enumerable: false })
  }
  return outcome
}

module.exports = { withoutToken }
