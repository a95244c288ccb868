'use strict'

/** What an answer that is a stream leads to its request by. */
const WAYS_TO_REQUEST = ['req', 'socket', 'client']

/**
 * Takes the token out of what axios resolves and rejects with: logs print it, and a retry would send it again. The
 * request of Node.js has its headers as text; it stays, out of the sight of loggers.
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
  if (part?.request) hideMember(part, 'request')
  if (typeof part?.data?.pipe !== 'function') return
  for (const name of WAYS_TO_REQUEST) if (part.data[name]) hideMember(part.data, name)
}

function hideMember(object, name) {
  Reflect.defineProperty(object, name, { enumerable: false })
}

module.exports = { withoutToken }
