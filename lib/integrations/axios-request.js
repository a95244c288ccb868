'use strict'

const { authorizationOf } = require('./authorized-requests')
const { InvalidArgumentError, TokenUnavailableError } = require('../errors')
const { withoutToken } = require('./axios-error')
const { deleteAuthorization, isSameOrigin } = require('./redirects')

/**
 * A member of the transform that a request adds to its config. A copy of the config, for a retry,
 * has it too. A WeakMap would cost more than all the rest, because the garbage collector walks it
 * again and again.
 */
const REQUEST = Symbol('request')
/**
 * A member of the `beforeRedirect` that replaces the user's: `{ own }`, the user's own if there is
 * one.
 */
const REPLACED = Symbol('replaced')

/** A request of axios. The token is added when axios transforms the request to send it. */
class AxiosRequest {
  #requests
  /**
   * Whether it has not been sent yet. The transform stays in the config, which others may send
   * again.
   */
  #isOpen = true
  /** The token that was waited for. */
  #waited
  /** Whether the request is sent in the turn in which the wait ends. */
  #isFresh = false
  /** The Authorization header that was sent. */
  #sent
  /**
   * The token that was sent. Undefined if there was none, or if a redirect led to another origin.
   */
  #token
  #url
  #isRedirected = false

  /** The request that a config belongs to, if any. */
  static of(config, requests) {
    for (const transform of transformsOf(config)) {
      const request = transform[REQUEST]
      if (request?.#requests === requests) return request
    }
    return undefined
  }

  /** A config that was sent before gets a new request, because several may be pending at once. */
  constructor(config, requests) {
    const request = this
    this.#requests = requests
    this.transform = function addToken(data, headers) {
      request.#addToken(this, headers)
      return data
    }
    this.transform[REQUEST] = this
    const earlier = AxiosRequest.of(config, requests)
    if (earlier) deleteAuthorization(config.headers, earlier.#sent)
    const transforms = transformsOf(config)
    const others = earlier ? transforms.filter((transform) => transform !== earlier.transform) : transforms
    config.transformRequest = [...others, this.transform]
  }

  /** Whether the request gets a token: it has none of its own and goes to a listed origin. */
  covers(config, headers = config.headers, url = urlOf(config)) {
    return !config.auth && authorizationOf(headers) === undefined && this.#requests.covers(url)
  }

  /**
   * Waits for a token and returns the config. axios itself reports an abort when it sends the
   * request.
   */
  async wait(config, token) {
    try {
      this.#waited = await token
    } catch (error) {
      if (!config.signal?.aborted) throw error
    }
    return config
  }

  /**
   * Waits for a token and sends the request once more, through an instance without interceptors.
   * `isTransformed` tells whether the data of its config is already transformed.
   */
  async repeat(plain, config, token, { isTransformed }) {
    const { transformRequest } = config
    const finish = (outcome) => {
      // Restored, because the user may send the config once more with other data.
      if (outcome?.config) outcome.config.transformRequest = transformRequest
      return this.hideToken(outcome)
    }
    const refuse = (error) => Promise.reject(finish(error))
    deleteAuthorization(config.headers, this.#sent)
    this.#isOpen = this.#isFresh = true
    const again = isTransformed ? { ...config, transformRequest: [this.transform] } : config
    return plain.request(await this.wait(again, token)).then(finish, refuse)
  }

  /**
   * Returns a promise of another token with which to repeat the request, or undefined if the
   * response stands.
   */
  another({ method, data: body, signal, responseType }, response) {
    if (this.#token === undefined || response === undefined) return undefined
    const { status, headers, data } = response
    return this.#requests.another(this.#token, {
      status,
      challenge: headers['www-authenticate'],
      unread: responseType === 'stream' ? data : undefined,
      isRedirected: this.#isRedirected,
      method,
      body,
      signal,
    })
  }

  /**
   * Removes the token from what axios resolves or rejects with. A token of the user's own stays.
   */
  hideToken(outcome) {
    return this.#sent === undefined ? outcome : withoutToken(outcome)
  }

  #addToken(config, headers) {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#url = urlOf(config)
    if (!this.covers(config, headers, this.#url)) return
    // All versions from 1.2 on have this method. Earlier ones lose headers or do not report
    // redirects.
    if (typeof headers.concat !== 'function') {
      throw new InvalidArgumentError('attach(instance, tokens) needs axios 1.5 or later.')
    }
    this.#token = this.#requests.stillHeld(this.#waited) ?? (this.#isFresh ? this.#waited : undefined)
    if (this.#token === undefined) throw new UnsentError(config)
    this.#sent = `Bearer ${this.#token}`
    headers.Authorization = this.#sent
    this.#watchRedirects(config)
  }

  /** Called from the transform, which no interceptor follows. */
  #watchRedirects(config) {
    const given = config.beforeRedirect
    const { own } = given?.[REPLACED] ?? { own: given }
    const follow = (target, ...details) => {
      this.#follow(target)
      own?.(target, ...details)
    }
    follow[REPLACED] = { own }
    config.beforeRedirect = follow
  }

  /**
   * Removes the token on a redirect to another origin, such as a subdomain or https: not every
   * version of axios does.
   */
  #follow({ href, headers }) {
    this.#isRedirected = true
    if (isSameOrigin(href, this.#url)) return
    this.#token = undefined
    deleteAuthorization(headers, this.#sent)
  }
}

/** The token was dropped just before a request was sent. */
class UnsentError extends TokenUnavailableError {
  #config

  constructor(config) {
    super('The access token was dropped before the request was sent: make the request again.')
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

/**
 * Makes an instance like another, without its interceptors, and without defaults, which would be
 * applied again.
 */
function plainInstance(instance) {
  const plain = instance.create()
  for (const name of Object.keys(plain?.defaults ?? {})) delete plain.defaults[name]
  return plain
}

/**
 * Returns a URL with the origin that axios sends a request to, from its `url` and `baseURL`. Empty
 * if the origin is unclear.
 */
function urlOf({ url = '', baseURL = '', allowAbsoluteUrls }) {
  const isAbsolute = /^([a-z][a-z\d+\-.]*:)?\/\//i.test(url)
  if (isAbsolute && allowAbsoluteUrls === false) return ''
  const base = isAbsolute ? url : baseURL
  // axios makes an Authorization header from a user name.
  return /^[^/?#]*\/\/[^/?#]*@/.test(base) ? '' : base
}

module.exports = { AxiosRequest, UnsentError, plainInstance }
