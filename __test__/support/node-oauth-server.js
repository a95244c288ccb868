'use strict'

const http = require('node:http')

const OAuth2Server = require('@node-oauth/oauth2-server')

const { closing } = require('./world')

/**
 * A token endpoint of `@node-oauth/oauth2-server`, which the test's end closes. `clients` are their
 * secrets by id, which `setSecrets` replaces; `presented` are the secrets that were tried.
 */
async function nodeOAuthServer({ clients, lifetimeSeconds = 3600, scopes = ['read'] }) {
  const secrets = new Map(Object.entries(clients))
  const tokens = new Map()
  const presented = []
  const model = {
    getClient(id, secret) {
      presented.push(secret)
      return secrets.get(id)?.includes(secret) ? { id, grants: ['client_credentials'] } : null
    },
    getUserFromClient: (client) => ({ id: client.id }),
    validateScope: (user, client, scope) => {
      return (scope ?? []).every((name) => scopes.includes(name)) ? (scope ?? scopes) : false
    },
    saveToken(token, client, user) {
      const saved = { ...token, client, user }
      tokens.set(token.accessToken, saved)
      return saved
    },
    getAccessToken: (text) => tokens.get(text),
  }
  const oauth = new OAuth2Server({ model, accessTokenLifetime: lifetimeSeconds })

  const serve = async (incoming, outgoing) => {
    let text = ''
    for await (const chunk of incoming.setEncoding('utf8')) text += chunk
    const { method, url, headers } = incoming
    const query = Object.fromEntries(new URL(url, 'http://server').searchParams)
    const body = Object.fromEntries(new URLSearchParams(text))
    const request = new OAuth2Server.Request({ method, query, headers, body })
    const response = new OAuth2Server.Response({})
    const answer = url.startsWith('/token') ? oauth.token : oauth.authenticate
    const failure = await answer.call(oauth, request, response).then(
      () => undefined,
      (error) => error,
    )
    const status = failure?.code ?? response.status ?? 200
    const said = failure ? { error: failure.name, error_description: failure.message } : response.body
    outgoing.writeHead(status, { 'Content-Type': 'application/json', ...response.headers })
    outgoing.end(JSON.stringify(said))
  }
  const server = http.createServer(serve)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  return closing({
    tokenUrl: `${url}/token`,
    resourceUrl: `${url}/resource`,
    presented,
    setSecrets: (id, list) => secrets.set(id, list),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  })
}

module.exports = { nodeOAuthServer }
