'use strict'

const { isAbortSignal } = require('../abort')
const { BodyConsumedError, InvalidArgumentError } = require('../errors')
const { checkOptions } = require('../options/arguments')
const { describe } = require('../options/values')
const { captureFrames } = require('../stacks')
const { Origins } = require('./origins')

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

const INVALID_TOKEN = /(?:^|[\s,])error\s*=\s*"?invalid_token"?\s*(?:,|$)/i
/**
 * The other parameters of a challenge. A match begins only where a name does; otherwise a long name
 * would be read again from each "-".
 */
const OTHER_TEXTS = /(?<![\w-])(?!error\s*=)[\w-]+\s*=\s*"(?:[^"\\]|\\.)*"/gi

/** How many bytes of an unused response are read to keep its connection for other requests. */
const MOST_DRAINED_BYTES = 65_536

/**
 * The rules for requests that carry the tokens of a source. They are the same for every HTTP
 * client.
 */
class AuthorizedRequests {
  #tokens
  #origins

  /**
   * `adapter` is the function that was called, for messages and stacks. `known` lists options of
   * its own. `base`, `{ name, read }`, is the URL that the client is configured with. It is used if
   * no origins are given.
   */
  constructor(adapter, tokens, options, { known = [], base } = {}) {
    if (typeof tokens?.getToken !== 'function' || typeof tokens.invalidate !== 'function') {
      const takes = 'takes a TokenManager, or another source of tokens (getToken, invalidate)'
      fail(`${adapter.name}() ${takes}, got ${describe(tokens)}.`, adapter)
    }
    const all = ['origins', 'allowInsecureHttp', ...known]
    const { origins, allowInsecureHttp } = checkOptions(adapter.name, options, all, adapter)
    this.#tokens = tokens
    this.#origins = new Origins({
      origins,
      allowInsecureHttp,
      base,
      fail: (message) => fail(`${adapter.name}() ${message}.`, adapter),
    })
  }

  /** Whether requests to a URL, or to an origin, carry a token. */
  covers(url) {
    return this.#origins.include(url)
  }

  /** The held token. Undefined if there is none, or if only `token()` can tell. */
  get held() {
    return this.#tokens.peek?.() ?? undefined
  }

  /**
   * Returns a token for a request that is sent in the same turn. Ignores a signal that is no
   * AbortSignal: libraries accept others, too.
   */
  async token(signal) {
    const token = await this.#tokens.getToken(isAbortSignal(signal) ? { signal } : undefined)
    return this.stillHeld(token) ?? token
  }

  /**
   * Returns the token to send instead of one that was held a moment ago: the same one, a newer one,
   * or undefined if it was dropped.
   */
  stillHeld(token) {
    return this.#tokens.peek ? this.#tokens.peek() : token
  }

  /**
   * Judges the response to a request with `token`. Returns undefined if the response stands, else a
   * promise of another token with which to repeat the request once. Drops only the token that was
   * refused.
   *
   * The response has its `status`, the WWW-Authenticate header as `challenge`, and its body as
   * `unread` if nobody else reads it. `method`, `body` and `signal` are the request's. If it
   * `isRedirected`, only a safe request is repeated: any other may have had its effect before the
   * redirect.
   *
   * @throws {BodyConsumedError} When the request cannot be repeated.
   */
  another(token, { status, challenge, unread, isRedirected, method = 'GET', body, signal }) {
    if (!isRefusal(status, challenge)) return undefined
    this.#tokens.invalidate(token)
    // The manager keeps a token that is refused again and again: the resource has other reasons.
    if (this.held === token) return undefined
    if (isRedirected && !SAFE_METHODS.includes(method.toUpperCase())) return undefined
    drain(unread)
    if (isReadOnce(body)) {
      const reason = `A resource refused the access token (${status}), and the request cannot be repeated`
      const remedy = 'The token was dropped; make the request again, with a new body.'
      throw new BodyConsumedError(`${reason}: its body is a stream that was read. ${remedy}`, { status })
    }
    return this.token(signal)
  }

  /**
   * Resolves with the result of `send(token)`. If that rejects, sends once more with another token
   * if the response, `answerOf(error)`, allows it.
   */
  async repeating(send, answerOf) {
    const token = this.held ?? (await this.token())
    try {
      return await send(token)
    } catch (error) {
      const another = this.another(token, answerOf(error))
      if (another === undefined) throw error
      return send(await another)
    }
  }
}

/** Whether a response refuses the token: a 401, or a 403 with the error of RFC 6750 §3.1. */
function isRefusal(status, challenge) {
  return status === 401 || (status === 403 && INVALID_TOKEN.test(String(challenge).replace(OTHER_TEXTS, '')))
}

/** Whether a body can be read only once: streams of Node.js and of the web, and iterators. */
function isReadOnce(body) {
  if (typeof body !== 'object' || body === null) return false
  return [body.pipe, body.getReader, body.next].some((method) => typeof method === 'function')
}

/** Returns the Authorization header of an object of headers, in upper or lower case. */
function authorizationOf(headers) {
  for (const name in headers) {
    if (name.length === 13 && name.toLowerCase() === 'authorization') return headers[name]
  }
  return undefined
}

/** Reads the body of a response that is not passed on. */
async function drain(body) {
  try {
    let left = MOST_DRAINED_BYTES
    for await (const chunk of body ?? []) {
      left -= chunk.length
      if (left < 0) return
    }
  } catch {
    // Nobody needs the body.
  }
}

/**
 * Checks methods, not the class: a bundle, a Jest file and an ES module have their own copies of a
 * library.
 */
function checkMethods(what, takes, value, methods, adapter) {
  if (methods(value ?? {}).every((method) => typeof method === 'function')) return
  fail(`${adapter.name}(${what}, tokens) takes ${takes}, got ${describe(value)}.`, adapter)
}

function fail(message, below) {
  const error = new InvalidArgumentError(message)
  captureFrames(error, below)
  throw error
}

module.exports = { AuthorizedRequests, MOST_DRAINED_BYTES, authorizationOf, checkMethods }
