'use strict'

const { authorizationOf } = require('./authorized-requests')
const { withoutToken } = require('./axios-error')
const { isSameOrigin } = require('./redirects')

/**
 * Before version 212, the SDK has no HTTP client that could be replaced, so its calls are replaced.
 */
function attachToCalls(client, requests) {
  const { callApi, loginClientCredentialsGrant } = client
  let isAttached = true

  function authorized(...args) {
    const [, , , , headers, , body, authNames] = args
    const isOurs =
      isAttached && authNames.includes('PureCloud OAuth') && authorizationOf(headers) === undefined
    const url = client.buildUrl('/', {})
    if (!isOurs || !requests.covers(url)) return callApi.apply(client, args).catch(refuse)
    const send = (token) => callApi.apply(withToken(client, token), args)
    const answerOf = (outcome) => {
      const { status, headers: answered, error } = outcome ?? {}
      // A response from another origin says nothing about the token.
      if (!isSameOrigin(error?.request?.res?.responseUrl ?? url, url)) return {}
      return { status, challenge: answered?.['www-authenticate'], body }
    }
    const finish = (outcome) => (client.returnExtended === true ? outcome : outcome.body || outcome.text)
    return requests.repeating(send, answerOf).then(finish, (error) => {
      refuse(error?.error ? finish(error) : error)
    })
  }

  function login(...args) {
    return loginClientCredentialsGrant.apply(client, args).catch(refuse)
  }

  Object.assign(client, { callApi: authorized, loginClientCredentialsGrant: login })
  return function detach() {
    isAttached = false
    if (client.callApi === authorized) client.callApi = callApi
    if (client.loginClientCredentialsGrant === login)
      client.loginClientCredentialsGrant = loginClientCredentialsGrant
  }
}

/**
 * Returns the client as one call sees it: with a token, and with responses that include their
 * status. The empty string keeps it from renewing a token of its own after a 401: the call is
 * repeated with another token of the source instead.
 */
function withToken(client, accessToken) {
  const { authentications } = client
  const authentication = { ...authentications['PureCloud OAuth'], accessToken }
  return Object.assign(Object.create(client), {
    returnExtended: true,
    authentications: { ...authentications, 'PureCloud OAuth': authentication },
    authData: { refreshToken: '' },
  })
}

function refuse(error) {
  withoutToken(error?.error)
  throw withoutToken(error)
}

module.exports = { attachToCalls }
