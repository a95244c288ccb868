'use strict'

const { authorizationOf, drain } = require('../authorized-request')
const { InvalidArgumentError, TokenUnavailableError } = require('../errors')
const { withoutToken } = require('./axios-error')

/**
 * A member of the transform that a request adds to its config: a copy of the config, for a retry, has it as well. A
 * WeakMap would cost more than all the rest: the garbage collection has to look through it again and again.
 */
const REQUEST = Symbol('request')

/** A request of axios: its token, which is put in when axios transforms the request to send it. */
class AxiosRequest {
  #requests
  /** The token that was waited for. */
  #waited
  /** The token that was sent; undefined where there was none, and where a redirect led to another origin. */
  #token
  #url
  /** Whether the headers of its config have the token. */
  #isShown = false

  /** The request that a config belongs to, if any. */
  static of(config, requests) {
    for (const transform of transformsOf(config)) {
      const request = transform[REQUEST]
      if (request?.#requests === requests) return request
    }
    return undefined
  }

  constructor(config, requests) {
    const request = this
    this.#requests = requests
    this.transform = function addToken(data, headers) {
      request.#addToken(this, headers)
      return data
    }
    this.transform[REQUEST] = this
    config.transformRequest = [...transformsOf(config), this.transform]
    const { beforeRedirect } = config
    config.beforeRedirect = (target, ...details) => {
      this.#follow(target)
      beforeRedirect?.(target, ...details)
    }
  }

  /** Whether it is to carry a token: it has none of its own, and goes to an origin that is listed. */
  covers(config, headers = config.headers, url = urlOf(config)) {
    return !config.auth && authorizationOf(headers) === undefined && this.#requests.covers(url)
  }

  /** Waits for a token; returns the config. An abort meanwhile is for axios to tell, when it is to send the request. */
  async wait(config, token) {
    try {
      this.#waited = await token
    } catch (error) {
      if (!config.signal?.aborted) throw error
    }
    return config
  }

  /** A promise of another token, with which it is to be repeated; undefined where the answer stands. */
  another({ data: body, signal, responseType }, response) {
    if (this.#token === undefined || response === undefined) return undefined
    const { status, headers, data } = response
    const challenge = headers['www-authenticate']
    const another = this.#requests.another(this.#token, { status, challenge, body, signal })
    if (another !== undefined && responseType === 'stream') drain(data)
    return another
  }

  /** Takes the token out of headers that are used once more; one of the caller's stays. */
  withdrawToken(headers) {
    if (this.#isShown) deleteAuthorization(headers)
  }

  /** Takes the token out of what axios resolves or rejects with. */
  hideToken(outcome) {
    if (!this.#isShown) return outcome
    this.#isShown = false
    return withoutToken(outcome)
  }

  #addToken(config, headers) {
    this.#token = undefined
    this.#url = urlOf(config)
    if (!this.covers(config, headers, this.#url)) return
    // The headers of all versions from 1.2 on have it. Earlier ones lose headers, or do not tell of redirects.
    if (typeof headers.concat !== 'function') {
      throw new InvalidArgumentError('attach(instance, tokens) needs axios 1.5 or later.')
    }
    this.#token = this.#requests.stillHeld(this.#waited)
    if (this.#token === undefined) throw new UnsentError(config)
    this.#isShown = true
    headers.Authorization = `Bearer ${this.#token}`
  }

  /** Not every version of axios takes the token off on the way to another origin: to a subdomain, to https. */
  #follow({ href, headers }) {
    if (this.#token === undefined || new URL(href).origin === new URL(this.#url).origin) return
    this.#token = undefined
    deleteAuthorization(headers)
  }
}

/** Interceptors may leave a plain object in the place of axios' own headers. */
function deleteAuthorization(headers) {
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === 'authorization') delete headers[name]
  }
}

/** The token was dropped in the moment before a request was sent. */
class UnsentError extends TokenUnavailableError {
  #config

  constructor(config) {
    super('The access token was dropped before the request was sent.')
    this.#config = config
  }

  static configOf(error) {
    return typeof error === 'object' && error !== null && #config in error ? error.#config : undefined
  }
}

function transformsOf(config) {
  const transforms = config?.transformRequest ?? []
  return Array.isArray(transforms) ? transforms : [transforms]
}

/** A URL with the origin that axios sends a request to, of its `url` and `baseURL`; '' where that is unclear. */
function urlOf({ url = '', baseURL = '', allowAbsoluteUrls }) {
  const isAbsolute = /^([a-z][a-z\d+\-.]*:)?\/\//i.test(url)
  if (!isAbsolute) return baseURL
  return allowAbsoluteUrls === false ? '' : url
}

module.exports = { AxiosRequest, UnsentError }
