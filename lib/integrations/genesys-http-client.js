'use strict'

const { authorizationOf } = require('./authorized-requests')
const { withoutToken } = require('./axios-error')
const { deleteAuthorization, isSameOrigin } = require('./redirects')

/** The SDK sends all requests through an HTTP client from version 212 on. It can be replaced. */
function attachToHttpClient(client, requests) {
  const inner = client.getHttpClient()
  let isAttached = true

  /**
   * The SDK's login has a header of its own, and so may a call. The token that the client was set
   * to is removed.
   */
  function isOurs({ url, headers }) {
    const own = authorizationOf(headers)
    const { accessToken } = client.authentications['PureCloud OAuth']
    return isAttached && requests.covers(url) && (own === undefined || own === `Bearer ${accessToken}`)
  }

  async function request(given) {
    // The SDK's own client makes the configuration for axios with the method below.
    const send = (sent) => inner.request.call(inner.toAxiosConfig ? authorized : inner, sent)
    try {
      if (!isOurs(given)) return await send(given)
      return await requests.repeating(
        (token) => send(withToken(given, token)),
        (error) => answerOf(error, given),
      )
    } catch (error) {
      throw withoutToken(error)
    }
  }

  const toAxiosConfig = (sent) => ({ ...inner.toAxiosConfig(sent), beforeRedirect: withdrawElsewhere(sent) })
  const authorized = standIn(inner, { __proto__: null, request, toAxiosConfig })
  client.setHttpClient(authorized)
  return function detach() {
    isAttached = false
    if (client.getHttpClient() === authorized) client.setHttpClient(inner)
  }
}

/** What matters of the response in an error. */
function answerOf(error, { url, data }) {
  const { status, headers, request } = error?.response ?? {}
  // A response of another origin says nothing about the token.
  if (!isSameOrigin(request?.res?.responseUrl ?? url, url)) return {}
  return { status, challenge: headers?.['www-authenticate'], body: data }
}

/**
 * Not every version of axios removes the token on the way to another origin, such as a subdomain or
 * https.
 */
function withdrawElsewhere({ url, headers }) {
  const sent = authorizationOf(headers)
  return (target) => {
    if (!isSameOrigin(target.href, url)) deleteAuthorization(target.headers, sent)
  }
}

/** A copy, because the SDK logs the headers of the original. */
function withToken(request, token) {
  const headers = { ...request.headers, Authorization: `Bearer ${token}` }
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, { headers })
}

/**
 * The SDK asks for an object of its own class. This one has some members of its own and passes
 * everything else on to the SDK's client: what it is set to stays there. Methods are called on that
 * client, which may have private fields.
 */
function standIn(inner, own) {
  const get = (_, name) => {
    if (name in own) return own[name]
    const isMethod = typeof inner[name] === 'function' && !Object.hasOwn(inner, name)
    return isMethod && name !== 'constructor' ? inner[name].bind(inner) : inner[name]
  }
  return new Proxy(inner, { get })
}

module.exports = { attachToHttpClient }
