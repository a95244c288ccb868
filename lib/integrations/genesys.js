'use strict'

const { AuthorizedRequests, authorizationOf, checkMethods } = require('../authorized-request')
const { withoutToken } = require('./axios-error')
const { attachToCalls } = require('./genesys-calls')
const { isSameOrigin, standIn, withdrawElsewhere } = require('./redirects')

/** Has the calls of a client of Genesys' SDK carry the tokens of a source. `genesys.d.ts` documents it. */
function attach(client, tokens, options = {}) {
  const takes = 'an ApiClient of purecloud-platform-client-v2, such as platformClient.ApiClient.instance'
  checkMethods('client', takes, client, ({ callApi, buildUrl }) => [callApi, buildUrl], attach)
  const base = { name: 'URL of its API', read: () => client.buildUrl('/', {}) }
  const requests = new AuthorizedRequests(attach, tokens, options, { base })
  return client.setHttpClient ? attachToHttpClient(client, requests) : attachToCalls(client, requests)
}

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
    const answerOf = ({ response: { status, headers, request: sent } = {} }) => {
      // What another origin answers says nothing about the token.
      if (!isSameOrigin(sent?.res?.responseUrl ?? given.url, given.url)) return {}
      return { status, challenge: headers?.['www-authenticate'], body: given.data }
    }
    try {
      if (!isOurs(given)) return await send(given)
      return await requests.repeating((token) => send(withToken(given, token)), answerOf)
    } catch (error) {
      throw withoutToken(error)
    }
  }

  const toAxiosConfig = (sent) => ({ ...inner.toAxiosConfig(sent), ...withdrawElsewhere(sent) })
  const authorized = standIn(inner, { __proto__: null, request, toAxiosConfig })
  client.setHttpClient(authorized)
  return function detach() {
    isAttached = false
    if (client.getHttpClient() === authorized) client.setHttpClient(inner)
  }
}

/** A copy, since the SDK logs the headers of the original. */
function withToken(request, token) {
  const headers = { ...request.headers, Authorization: `Bearer ${token}` }
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, { headers })
}

module.exports = { attach }
