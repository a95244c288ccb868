'use strict'

function basic(id, secret) {
  return { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

/**
 * One token request: `{ status, headers, text, body }`. Any option of `fetch` may be given instead.
 */
async function requestToken(server, secret = 'secret', { id = 'app', ...options } = {}) {
  return answerOf(
    await fetch(server.tokenUrl, {
      method: 'POST',
      headers: basic(id, secret),
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      ...options,
    }),
  )
}

async function tokenOf(server, ...rest) {
  return (await requestToken(server, ...rest)).body.access_token
}

/** One request to the API, with a token where there is one. */
async function callApi(server, path, token, options) {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  return answerOf(await fetch(`${server.url}/api/v2${path}`, { headers, ...options }))
}

async function answerOf(response) {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  }
}

module.exports = { answerOf, basic, callApi, requestToken, tokenOf }
