'use strict'

// The peers, each used as in its documentation, with a token of `server`. Each function requires
// its own peer, so that a measurement of one loads only one.

const { CLIENT } = require('./client')

/** README of simple-oauth2: if the token has expired, get another one. We add the single flight. */
async function simpleOauth2({ tokenUrl }, { windowSeconds = 300 } = {}) {
  const { ClientCredentials } = require('simple-oauth2')
  const { origin, pathname } = new URL(tokenUrl)
  const client = new ClientCredentials({
    client: CLIENT,
    auth: { tokenHost: origin, tokenPath: pathname },
    options: { credentialsEncodingMode: 'loose' },
  })
  let accessToken = await client.getToken({})
  let renewal
  const renew = async () => {
    try {
      accessToken = await client.getToken({})
    } finally {
      renewal = undefined
    }
  }
  return async () => {
    if (accessToken.expired(windowSeconds)) await (renewal ??= renew())
    return accessToken.token.access_token
  }
}

/**
 * README of axios-token-interceptor: `tokenCache` around a function that gets a token with axios.
 */
async function axiosTokenInterceptor({ tokenUrl }) {
  const tokenProvider = require('axios-token-interceptor')
  const cache = tokenProvider.tokenCache(
    async () => {
      const { access_token, expires_in } = await post(tokenUrl)
      return { token: access_token, expires_in }
    },
    { getMaxAge: ({ expires_in }) => expires_in * 1000 },
  )
  await cache()
  return cache
}

/** Its OAuth2Client with a refresh handler; GoogleAuth around it costs more. */
async function googleAuthLibrary({ tokenUrl }) {
  const { OAuth2Client } = require('google-auth-library')
  const client = new OAuth2Client()
  client.refreshHandler = async () => {
    const { access_token, expires_in } = await post(tokenUrl)
    return { access_token, expiry_date: Date.now() + expires_in * 1000 }
  }
  await client.getAccessToken()
  return () => client.getAccessToken()
}

/** Its token comes from a stub of the network, because it talks only to Microsoft's endpoint. */
async function msalNode() {
  const { ConfidentialClientApplication } = require('@azure/msal-node')
  const authority = 'https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111'
  const body = { token_type: 'Bearer', expires_in: 86_399, access_token: 't'.repeat(86) }
  const client = new ConfidentialClientApplication({
    auth: {
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      authority,
      authorityMetadata: JSON.stringify({
        issuer: `${authority}/v2.0`,
        authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
        token_endpoint: `${authority}/oauth2/v2.0/token`,
        jwks_uri: `${authority}/discovery/v2.0/keys`,
      }),
    },
    system: {
      networkClient: {
        sendGetRequestAsync: async () => ({ status: 200, headers: {}, body: {} }),
        sendPostRequestAsync: async () => ({ status: 200, headers: {}, body }),
      },
    },
  })
  const request = { scopes: ['https://graph.microsoft.com/.default'] }
  await client.acquireTokenByClientCredential(request)
  const { fromCache } = await client.acquireTokenByClientCredential(request)
  if (!fromCache) throw new Error('The token of @azure/msal-node did not come from its cache.')
  return () => client.acquireTokenByClientCredential(request)
}

/** README of @badgateway/oauth2-client: `OAuth2Fetch` keeps the token. */
async function badgateway({ tokenUrl }) {
  const { OAuth2Client, OAuth2Fetch } = await import('@badgateway/oauth2-client')
  const client = new OAuth2Client({
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    tokenEndpoint: tokenUrl,
    authenticationMethod: 'client_secret_basic',
  })
  const wrapper = new OAuth2Fetch({ client, getNewToken: () => client.clientCredentials() })
  await wrapper.getAccessToken()
  return () => wrapper.getAccessToken()
}

/** It keeps no token. Its answers say how long they last; the rest is written by hand. */
async function openidClient({ tokenUrl }) {
  const openid = await import('openid-client')
  const issuer = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl }
  const auth = openid.ClientSecretBasic(CLIENT.secret)
  const configuration = new openid.Configuration(issuer, CLIENT.id, CLIENT.secret, auth)
  openid.allowInsecureRequests(configuration)
  let tokens = await openid.clientCredentialsGrant(configuration)
  return async () => {
    if (!(tokens.expiresIn() > 60)) tokens = await openid.clientCredentialsGrant(configuration)
    return tokens.access_token
  }
}

/** It keeps neither token nor time; both are written by hand. */
async function oauth4webapi({ tokenUrl }) {
  const oauth = await import('oauth4webapi')
  const issuer = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl }
  const client = { client_id: CLIENT.id }
  const auth = oauth.ClientSecretBasic(CLIENT.secret)
  const request = async () => {
    const options = { [oauth.allowInsecureRequests]: true }
    const response = await oauth.clientCredentialsGrantRequest(
      issuer,
      client,
      auth,
      new URLSearchParams(),
      options,
    )
    const { access_token, expires_in } = await oauth.processClientCredentialsResponse(
      issuer,
      client,
      response,
    )
    return { access_token, renewAt: Date.now() + (expires_in - 60) * 1000 }
  }
  let tokens = await request()
  return async () => {
    if (Date.now() >= tokens.renewAt) tokens = await request()
    return tokens.access_token
  }
}

/** Returns a connected client, with the token stored. */
async function ioredis({ port }, token) {
  const { Redis } = require('ioredis')
  const client = new Redis({ host: '127.0.0.1', port })
  await client.set('token', token)
  return client
}

/** Sends a token request with axios. */
async function post(tokenUrl) {
  const axios = require('axios')
  const { data } = await axios.post(tokenUrl, new URLSearchParams({ grant_type: 'client_credentials' }), {
    auth: { username: CLIENT.id, password: CLIENT.secret },
  })
  return data
}

/** Returns a peer's name with the installed version. */
function title(name, call = '') {
  const { version } = JSON.parse(require('node:fs').readFileSync(manifest(name), 'utf8'))
  return `${name} ${version} ${call}`.trim()
}

function manifest(name) {
  return require('node:path').join(__dirname, 'node_modules', name, 'package.json')
}

module.exports = {
  simpleOauth2,
  axiosTokenInterceptor,
  googleAuthLibrary,
  msalNode,
  badgateway,
  openidClient,
  oauth4webapi,
  ioredis,
  post,
  title,
}
