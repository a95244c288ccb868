'use strict'

const { AuthorizedRequests, authorizationOf, checkMethods } = require('../authorized-request')
const { withoutToken } = require('./axios-error')
const { attachToCalls } = require('./genesys-calls')

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

  /** Its login has a header of its own, and so may a call; the token that it was set to makes way. */
  function isOurs({ url, headers }) {
    const own = authorizationOf(headers)
    const { accessToken } = client.authentications['PureCloud OAuth']
    return requests.covers(url) && (own === undefined || own === `Bearer ${accessToken}`)
  }

  async function request(given) {
    // It reads the settings of whoever it is called on, which the SDK changes.
    const send = (sent) => inner.request.call(this, sent)
    const answerOf = ({ response }) => {
      const { status, headers } = response ?? {}
      return { status, challenge: headers?.['www-authenticate'], body: given.data }
    }
    try {
      if (!isOurs(given)) return await send(given)
      return await requests.repeating((token) => send(withToken(given, token)), answerOf)
    } catch (error) {
      throw withoutToken(error)
    }
  }

  // The SDK asks for its own class.
  const authorized = Object.assign(Object.create(inner), { request })
  client.setHttpClient(authorized)
  return function detach() {
    if (client.getHttpClient() === authorized) client.setHttpClient(inner)
  }
}

/** A copy, since the SDK logs the headers of the original. */
function withToken(request, token) {
  const headers = { ...request.headers, Authorization: `Bearer ${token}` }
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, { headers })
}

module.exports = { attach }
