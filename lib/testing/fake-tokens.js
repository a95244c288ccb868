'use strict'

const { abortable } = require('../abort')
const { checkOptions, checkToken } = require('../options/arguments')
const { describe } = require('../options/values')
const { isClock } = require('../clock')
const { EndpointError, LifetimeTooShortError, TokenUnavailableError } = require('../errors')
const { checkMillis, checkObject } = require('../options/plain')

const HOUR_MS = 3_600_000

/** A source of tokens without a server. `index.d.ts` documents every member. */
class FakeTokens {
  history = []
  #prefix
  #lifetimeMs
  #clock
  /** The time, if there is no clock. */
  #elapsed = 0
  #serial = 1
  #issuedAt
  #failures = []

  constructor(options) {
    const known = ['token', 'lifetimeMs', 'clock']
    const {
      token = 'test-token',
      lifetimeMs = HOUR_MS,
      clock,
    } = checkObject(options, known, 'fakeTokens(options)')
    if (typeof token !== 'string' || token === '') {
      throw new TypeError(`fakeTokens({ token }) takes the beginning of the tokens, got ${describe(token)}.`)
    }
    if (clock !== undefined && !isClock(clock)) {
      throw new TypeError(`fakeTokens({ clock }) takes what createClock() returns, got ${describe(clock)}.`)
    }
    this.#prefix = token
    this.#lifetimeMs = checkMillis(lifetimeMs, 'fakeTokens({ lifetimeMs })', { min: 1 })
    this.#clock = clock
    this.#issuedAt = this.#now()
  }

  getToken(options) {
    try {
      const known = ['minValidityMs', 'signal']
      const { minValidityMs = 0, signal } = checkOptions('getToken', options, known, this.getToken)
      const call = { at: this.#now(), method: 'getToken', minValidityMs }
      this.history.push(call)
      return abortable(signal, async () => this.#answer(minValidityMs)).then(
        (token) => {
          call.token = token
          return token
        },
        (error) => {
          call.error = error
          throw error
        },
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  invalidate(token) {
    checkToken(token, this.invalidate)
    this.#renewIf(0)
    const dropped = token === this.#token()
    this.history.push({ at: this.#now(), method: 'invalidate', token, dropped })
    if (dropped) this.#renew()
    return dropped
  }

  advance(millis) {
    if (this.#clock) return this.#clock.advance(millis)
    this.#elapsed += checkMillis(millis, 'advance(millis)')
    return Promise.resolve()
  }

  failNext(error = unavailable()) {
    if (!(error instanceof Error)) {
      throw new TypeError(`failNext(error) takes an Error, got ${describe(error)}.`)
    }
    this.#failures.push(error)
  }

  #answer(minValidityMs) {
    const failure = this.#failures.shift()
    if (failure) throw failure
    if (minValidityMs > this.#lifetimeMs) {
      const lifetimeMs = this.#lifetimeMs
      const message = `A fresh token lives ${lifetimeMs} ms, and minValidityMs is ${minValidityMs}.`
      throw new LifetimeTooShortError(message, { lifetimeMs })
    }
    this.#renewIf(minValidityMs)
    return this.#token()
  }

  /**
   * Makes another token if the current one has expired or is valid for less than `minValidityMs`.
   */
  #renewIf(minValidityMs) {
    const left = this.#issuedAt + this.#lifetimeMs - this.#now()
    if (left <= 0 || left < minValidityMs) this.#renew()
  }

  #renew() {
    this.#serial += 1
    this.#issuedAt = this.#now()
  }

  #token() {
    return `${this.#prefix}-${this.#serial}`
  }

  #now() {
    return this.#clock ? this.#clock.now() : this.#elapsed
  }
}

function unavailable() {
  const message = 'There is no access token: a test made this call fail.'
  const cause = new EndpointError('The token endpoint did not answer.')
  return new TokenUnavailableError(message, { retryAfterMs: 1000, cause })
}

/** Tokens for the unit tests of code that uses a `TokenSource`. */
function fakeTokens(options) {
  return new FakeTokens(options)
}

module.exports = { fakeTokens }
