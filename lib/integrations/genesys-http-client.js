'use strict'

const { authorizationOf } = require('./authorized-requests')
const { withoutToken } = require('./axios-error')
const { deleteAuthorization, isSameOrigin } = require('./redirects')

/**
 * From version 212 on, the SDK sends all requests through an HTTP client, which can be replaced.
 */
function attachToHttpClient(client, requests) {
  const inner = client.getHttpClient()
  let isAttached = true

  /**
   * Whether a request gets a token of the source. The SDK's login has an Authorization of its own,
   * and a call may have one. The token that was set on the client is replaced.
   */
  function isOurs({ url, headers }) {
    const own = authorizationOf(headers)
    const { accessToken } = client.authentications['PureCloud OAuth']
    return isAttached && requests.covers(url) && (own === undefined || own === `Bearer ${accessToken}`)
  }

  async function request(given) {
    // The SDK's own client makes the configuration for axios with `toAxiosConfig`, below.
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

/** Returns the parts that matter of the response in an error. */
function answerOf(error, { url, data }) {
  const { status, headers, request } = error?.response ?? {}
  // A response from another origin says nothing about the token.
  if (!isSameOrigin(request?.res?.responseUrl ?? url, url)) return {}
  return { status, challenge: headers?.['www-authenticate'], body: data }
}

/**
 * Removes the token on a redirect to another origin, such as a subdomain or https: not every
 * version of axios does.
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
 * Returns a proxy of the SDK's client, because the SDK requires an object of its own class. The
 * proxy has the members of `own` and passes everything else on to the client, which keeps its
 * settings. Methods are called on the client itself, which may have private fields.
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
