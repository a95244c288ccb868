'use strict'

const { AuthorizedRequests } = require('./authorized-requests')
const { InvalidArgumentError } = require('../errors')
const { Attempt } = require('./undici-attempt')
const { hasAuthorization, readable, withToken } = require('./undici-headers')

/** Returns an interceptor for the dispatchers of undici. `undici.d.ts` documents it. */
function createInterceptor(tokens, options) {
  const requests = new AuthorizedRequests(createInterceptor, tokens, options)

  return (dispatch) => (opts, handler) => {
    if (opts?.path && opts.origin === undefined) throw originMissing()
    if (!requests.covers(opts?.origin)) return dispatch(opts, handler)
    const { method, body, signal } = opts
    // A string, because a URL object may change while the request waits for a token.
    const origin = String(opts.origin)
    const headers = readable(opts.headers)
    if (hasAuthorization(headers)) return dispatch(opts, handler)

    const send = (token, attempt) =>
      dispatch({ ...opts, origin, headers: withToken(headers, token) }, attempt)
    const fail = (error) => {
      if (handler.onResponseError) handler.onResponseError(null, error)
      else handler.onError(error)
    }
    const begin = (token) => {
      const takesOver = (answer) => {
        const another = requests.another(token, { ...answer, method, body, signal })
        another?.then((fresh) => send(fresh, handler)).catch(fail)
        return another !== undefined
      }
      return send(token, new Attempt(origin, handler, takesOver))
    }
    const token = requests.held
    if (token !== undefined) return begin(token)
    requests.token(signal).then(begin).catch(fail)
    return true
  }
}

function originMissing() {
  const remedy =
    "compose an Agent, or give the origin with each request: { origin: 'https://…', path, method }"
  return new InvalidArgumentError(`A Client and a Pool do not tell an interceptor their origin: ${remedy}.`)
}

module.exports = { createInterceptor }
