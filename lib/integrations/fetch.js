'use strict'

const { AuthorizedRequests, drain } = require('../authorized-request')

/** A `fetch` whose requests carry the tokens of a source. `fetch.d.ts` documents it. */
function createFetch(tokens, options) {
  const requests = new AuthorizedRequests(createFetch, tokens, options, { known: ['fetch'] })
  // Looked up for each request where none is given: tests replace the global one.
  const send = options.fetch ?? ((...args) => globalThis.fetch(...args))

  return async function authorizedFetch(input, init) {
    const isRequest = typeof input?.clone === 'function'
    const url = isRequest ? input.url : input
    if (!requests.covers(url)) return send(input, init)
    const headers = new globalThis.Headers(init?.headers ?? (isRequest ? input.headers : undefined))
    if (headers.has('authorization')) return send(input, init)

    const attempt = (target, token) => {
      headers.set('authorization', `Bearer ${token}`)
      return send(target, { ...init, headers })
    }
    const signal = init?.signal ?? (isRequest ? input.signal : undefined)
    const token = requests.held ?? (await requests.token(signal))
    // The body of a Request can be read once, but it can be cloned.
    const spare = isRequest && input.body ? input.clone() : input
    const response = await attempt(input, token)
    const another = isElsewhere(response, url)
      ? undefined
      : requests.another(token, {
          status: response.status,
          // A mock may have none.
          challenge: response.headers?.get?.('www-authenticate'),
          body: init?.body,
          signal,
        })
    if (another === undefined) {
      if (spare !== input) spare.body.cancel().catch(() => {})
      return response
    }
    drain(response.body)
    return attempt(spare, await another)
  }
}

/** Whether a redirect led to another origin, where fetch takes the token off. */
function isElsewhere(response, url) {
  return response.redirected && new URL(response.url).origin !== new URL(url).origin
}

module.exports = { createFetch }
