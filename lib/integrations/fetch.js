'use strict'

const { AuthorizedRequests } = require('./authorized-requests')
const { isSameOrigin } = require('./redirects')

/**
 * Returns a `fetch` that adds the tokens of a source to its requests. `fetch.d.ts` documents it.
 */
function createFetch(tokens, options) {
  const requests = new AuthorizedRequests(createFetch, tokens, options, { known: ['fetch'] })
  // Looked up for each request, because tests replace the global one.
  const send = options.fetch ?? ((...args) => globalThis.fetch(...args))

  return async function authorizedFetch(input, init) {
    const given = typeof input?.clone === 'function' ? input : undefined
    // A string, because a URL object may change while the request waits for a token.
    const url = given ? given.url : String(input)
    if (!requests.covers(url)) return send(input, init)
    const headers = new globalThis.Headers(init?.headers ?? given?.headers)
    if (headers.has('authorization')) return send(input, init)

    const attempt = (target, token) => {
      headers.set('authorization', `Bearer ${token}`)
      return send(target, { ...init, headers })
    }
    const { method = given?.method, body } = init ?? {}
    const signal = init?.signal ?? given?.signal
    const token = requests.held ?? (await requests.token(signal))
    // The body of a Request can be read only once, but it can be cloned.
    const spare = given?.body ? given.clone() : (given ?? url)
    const response = await attempt(given ?? url, token)
    const another = isElsewhere(response, url)
      ? undefined
      : requests.another(token, { ...answerOf(response), method, body, signal })
    if (another !== undefined) return attempt(spare, await another)
    if (spare !== given && given) spare.body.cancel().catch(() => {})
    return response
  }
}

/** Returns the parts of a response that matter. A mock may have no headers. */
function answerOf({ status, headers, body, redirected }) {
  return { status, challenge: headers?.get?.('www-authenticate'), unread: body, isRedirected: redirected }
}

/** Whether a redirect led to another origin, for which fetch removes the token. */
function isElsewhere(response, url) {
  return response.redirected && !isSameOrigin(response.url, url)
}

module.exports = { createFetch }
