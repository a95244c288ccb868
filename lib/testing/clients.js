'use strict'

const { randomBytes } = require('node:crypto')

/** The OAuth clients of a fake server, with the secrets that are, were and will be accepted. */
class Clients {
  #clients = new Map()
  #time
  #knobs

  constructor(time, knobs) {
    this.#time = time
    this.#knobs = knobs
  }

  /** Replaces all clients. */
  set(clients) {
    const before = this.#clients
    this.#clients = new Map()
    for (const { id, secrets, state, grantType } of clients) {
      const known = before.get(id) ?? new Client(id, this.#time.now())
      Object.assign(known, { state, grantType })
      known.setSecrets(secrets)
      this.#clients.set(id, known)
    }
  }

  get(id) {
    return this.#clients.get(id)
  }

  /** Returns a client. Throws if there is none with this id. */
  existing(id) {
    const client = this.#clients.get(id)
    if (client) return client
    const known = [...this.#clients.keys()].join(', ')
    throw new TypeError(`There is no client '${String(id).slice(0, 64)}'; the clients are ${known}.`)
  }

  /**
   * Makes a new secret. The others expire after `oldSecretGraceMs`; the new one is accepted after
   * `newSecretPropagationMs`.
   */
  regenerate(client) {
    const now = this.#time.now()
    const { oldSecretGraceMs, newSecretPropagationMs } = this.#knobs
    for (const secret of client.secrets) secret.until = Math.min(secret.until, now + oldSecretGraceMs)
    const text = randomBytes(32).toString('base64url')
    client.add(text, now + newSecretPropagationMs)
    client.modifiedAt = now
    return text
  }

  /** Whether a secret is accepted now. One that is tried too early may be refused for longer. */
  accepts(secret) {
    const now = this.#time.now()
    if (now < secret.from && now >= secret.refusedUntil) {
      secret.refusedUntil = now + this.#knobs.negativeCacheMs
    }
    return now >= secret.from && now >= secret.refusedUntil && now < secret.until
  }
}

/** An OAuth client. */
class Client {
  state = 'active'
  grantType = 'CLIENT-CREDENTIALS'
  secrets = []
  #lastSecret = 0

  constructor(id, now) {
    this.id = id
    this.createdAt = now
    this.modifiedAt = now
  }

  /** Makes these the accepted secrets. Those that were already known keep their ids. */
  setSecrets(texts) {
    const before = this.secrets
    this.secrets = []
    for (const text of texts) {
      const known = before.find((secret) => secret.text === text)
      if (known) this.secrets.push(Object.assign(known, { from: 0, until: Infinity, refusedUntil: 0 }))
      else this.add(text)
    }
  }

  add(text, from = 0) {
    this.#lastSecret += 1
    const id = `${this.id}/${this.#lastSecret}`
    this.secrets.push({ id, text, from, until: Infinity, refusedUntil: 0 })
  }

  /** Returns the secret with this text, accepted or not. */
  secret(text) {
    return this.secrets.find((secret) => secret.text === text)
  }
}

module.exports = { Clients }
