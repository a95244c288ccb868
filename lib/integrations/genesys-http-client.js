'use strict'

const { authorizationOf } = require('./authorized-requests')
const { withoutToken } = require('./axios-error')
const { deleteAuthorization, isSameOrigin } = require('./redirects')

/** The SDK from its version 212 on sends all requests through an HTTP client, which may be replaced. */
function attachToHttpClient(client, requests) {
  const inner = client.getHttpClient()
  let isAttached = true

  /** Its login has a header of its own, and so may a call; the token that it was set to makes way. */
  function isOurs({ url, headers }) {
    const own = authorizationOf(headers)
    const { accessToken } = client.authentications['PureCloud OAuth']
    return isAttached && requests.covers(url) && (own === undefined || own === `Bearer ${accessToken}`)
  }

  async function request(given) {
    // The SDK's own makes the configuration for axios with the method below.
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

/** What counts of the answer that an error tells of. */
function answerOf(error, { url, data }) {
  const { status, headers, request } = error?.response ?? {}
  // What another origin answers says nothing about the token.
  if (!isSameOrigin(request?.res?.responseUrl ?? url, url)) return {}
  return { status, challenge: headers?.['www-authenticate'], body: data }
}

/** Not every version of axios takes the token off on the way to another origin: to a subdomain, to https. */
function withdrawElsewhere({ url, headers }) {
  const sent = authorizationOf(headers)
  return (target) => {
    if (!isSameOrigin(target.href, url)) deleteAuthorization(target.headers, sent)
  }
}

/** A copy, since the SDK logs the headers of the original. */
function withToken(request, token) {
  const headers = { ...request.headers, Authorization: `Bearer ${token}` }
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, { headers })
}

/**
 * The SDK asks for an object of its own class. This one has some members of its own, and is another in all else: what it
 * is set to stays when it goes. That one's methods are called on it, since it may have private fields.
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
