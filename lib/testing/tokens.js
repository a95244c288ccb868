'use strict'

const { randomBytes } = require('node:crypto')

/** The access tokens that a fake server has issued and that have not expired. */
class Tokens {
  #tokens = new Map()
  #time
  #knobs

  constructor(time, knobs) {
    this.#time = time
    this.#knobs = knobs
  }

  /** Issues a token. Drops the client's oldest one if there are too many. */
  issue(clientId) {
    const now = this.#time.now()
    const { lifetimeMs, maxLiveTokens } = this.#knobs
    const text = randomBytes(64).toString('base64url')
    this.#tokens.set(text, { text, clientId, endsAt: now + lifetimeMs, usedAt: now })
    const live = [...this.#tokens.values()].filter(
      (token) => token.clientId === clientId && this.#lives(token),
    )
    for (const { text } of live.slice(0, Math.max(0, live.length - maxLiveTokens))) this.#tokens.delete(text)
    return text
  }

  /** Returns the token with this text if it is valid. Looking it up counts as use. */
  use(text, { preserveIdle = false } = {}) {
    const token = this.#tokens.get(text)
    if (!token || !this.#lives(token)) return undefined
    if (!preserveIdle) token.usedAt = this.#time.now()
    return token
  }

  /** Revokes one token, or all. */
  revoke(text) {
    if (text === undefined) this.#tokens.clear()
    else this.#tokens.delete(text)
  }

  revokeOf(clientId) {
    for (const token of this.#tokens.values()) {
      if (token.clientId === clientId) this.#tokens.delete(token.text)
    }
  }

  #lives({ text, endsAt, usedAt }) {
    const now = this.#time.now()
    const lives = now < endsAt && now < usedAt + this.#knobs.idleTimeoutMs
    if (!lives) this.#tokens.delete(text)
    return lives
  }
}

module.exports = { Tokens }
