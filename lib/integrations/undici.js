'use strict'

const { AuthorizedRequests, authorizationOf } = require('../authorized-request')
const { InvalidArgumentError } = require('../errors')
const { Attempt } = require('./undici-attempt')

/** An interceptor for the dispatchers of undici. `undici.d.ts` documents it. */
function createInterceptor(tokens, options) {
  const requests = new AuthorizedRequests(createInterceptor, tokens, options)

  return (dispatch) => (opts, handler) => {
    if (opts?.path && opts.origin === undefined) throw originMissing()
    if (!requests.covers(opts?.origin)) return dispatch(opts, handler)
    const headers = isPairs(opts.headers) ? Object.fromEntries(opts.headers) : opts.headers
    if (hasAuthorization(headers)) return dispatch(opts, handler)

    const send = (token, attempt) => dispatch({ ...opts, headers: withToken(headers, token) }, attempt)
    const fail = (error) => {
      if (handler.onResponseError) handler.onResponseError(null, error)
      else handler.onError(error)
    }
    const begin = (token) => {
      const takesOver = (answer) => {
        const another = requests.another(token, { ...answer, body: opts.body, signal: opts.signal })
        another?.then((fresh) => send(fresh, handler)).catch(fail)
        return another !== undefined
      }
      return send(token, new Attempt(opts.origin, handler, takesOver))
    }
    const token = requests.held
    if (token !== undefined) return begin(token)
    requests.token(opts.signal).then(begin).catch(fail)
    return true
  }
}

/** Whether headers are an iterable of pairs, as `Headers` and `Map` are; it may be read once only. */
function isPairs(headers) {
  return typeof headers?.[Symbol.iterator] === 'function' && typeof headers[0] !== 'string'
}

function hasAuthorization(headers) {
  if (!Array.isArray(headers)) return authorizationOf(headers) !== undefined
  return headers.some((name, index) => index % 2 === 0 && String(name).toLowerCase() === 'authorization')
}

function withToken(headers, token) {
  const authorization = `Bearer ${token}`
  return Array.isArray(headers) ? [...headers, 'authorization', authorization] : { ...headers, authorization }
}

function originMissing() {
  const remedy =
    "compose an Agent, or give the origin with each request: { origin: 'https://…', path, method }"
  return new InvalidArgumentError(`A Client and a Pool do not tell an interceptor their origin: ${remedy}.`)
}

module.exports = { createInterceptor }
