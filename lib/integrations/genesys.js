'use strict'

const { AuthorizedRequests, checkMethods } = require('./authorized-requests')
const { attachToCalls } = require('./genesys-calls')
const { attachToHttpClient } = require('./genesys-http-client')

/**
 * Adds the tokens of a source to the calls of a client of Genesys' SDK. `genesys.d.ts` documents
 * it.
 */
function attach(client, tokens, options) {
  const takes = 'an ApiClient of purecloud-platform-client-v2, such as platformClient.ApiClient.instance'
  checkMethods('client', takes, client, ({ callApi, buildUrl }) => [callApi, buildUrl], attach)
  const base = { name: 'URL of its API', read: () => client.buildUrl('/', {}) }
  const requests = new AuthorizedRequests(attach, tokens, options, { base })
  return client.setHttpClient ? attachToHttpClient(client, requests) : attachToCalls(client, requests)
}

module.exports = { attach }
