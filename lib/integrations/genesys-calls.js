'use strict'

const { authorizationOf } = require('../authorized-request')
const { withoutToken } = require('./axios-error')

/** The SDK before its version 212 has no HTTP client that could be replaced: its calls are. */
function attachToCalls(client, requests) {
  const { callApi, loginClientCredentialsGrant, authData } = client
  // Only the empty string keeps it from sending a refresh token that it does not have, after a 401.
  authData.refreshToken ??= ''

  function authorized(...args) {
    const [, , , , headers, , body, authNames] = args
    const isOurs = authNames.includes('PureCloud OAuth') && authorizationOf(headers) === undefined
    if (!isOurs || !requests.covers(client.buildUrl('/', {}))) {
      return callApi.apply(client, args).catch(refuse)
    }
    const send = (token) => callWith(token, client, () => callApi.apply(client, args))
    const answerOf = (error) => ({
      status: error?.status,
      challenge: error?.headers?.['www-authenticate'],
      body,
    })
    return requests.repeating(send, answerOf).catch(refuse)
  }

  function login(...args) {
    return loginClientCredentialsGrant.apply(client, args).catch(refuse)
  }

  Object.assign(client, { callApi: authorized, loginClientCredentialsGrant: login })
  return function detach() {
    if (client.callApi === authorized) client.callApi = callApi
    if (client.loginClientCredentialsGrant === login)
      client.loginClientCredentialsGrant = loginClientCredentialsGrant
  }
}

/** A call reads the token before it returns; afterwards the client has its own again. */
function callWith(token, client, call) {
  const authentication = client.authentications['PureCloud OAuth']
  const { accessToken } = authentication
  authentication.accessToken = token
  try {
    return call()
  } finally {
    authentication.accessToken = accessToken
  }
}

function refuse(error) {
  withoutToken(error?.error)
  throw withoutToken(error)
}

module.exports = { attachToCalls }
