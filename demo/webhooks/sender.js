'use strict'

const { setTimeout: pause } = require('node:timers/promises')
const { WebhookSigner } = require('../..')

const AT_ONCE = 16
/** Genesys Cloud waits longer, and gives up after five times. */
const RETRY_MS = 50

/** Sends events as Genesys Cloud does: each again and again until the service has accepted it. */
class Sender {
  accepted = 0
  /** Answers with a 4xx. */
  refused = 0
  /** Attempts without an answer, or with a 5xx. */
  repeated = 0
  #service
  #signer
  #atLeast
  #isEnough = false
  #isClosed = false
  #next = 0
  #marks = []

  constructor({ service, key, atLeast }) {
    this.#service = service
    this.#signer = new WebhookSigner({ scheme: 'genesys', keys: key })
    this.#atLeast = atLeast
  }

  /** Sends until it is told that it is enough. Resolves when all events are accepted. */
  async run() {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#lane()))
    await this.#signer.close()
  }

  /** Resolves when so many events are accepted. */
  reached(count) {
    return new Promise((resolve) => this.#marks.push({ count, resolve }))
  }

  /** It may stop when at least `atLeast` events are accepted. */
  enough() {
    this.#isEnough = true
  }

  /** Gives up what is not accepted yet. */
  close() {
    this.#isEnough = true
    this.#isClosed = true
  }

  async #lane() {
    while (!this.#isClosed && (this.#next < this.#atLeast || !this.#isEnough)) {
      this.#next += 1
      const text = `Customer ${this.#next} waits`
      const body = JSON.stringify({ id: `message-${this.#next}`, type: 'Text', text, direction: 'Outbound' })
      const headers = { 'content-type': 'application/json', ...this.#signer.sign(body) }
      while (!(await this.#attempt({ method: 'POST', headers, body }))) {
        if (this.#isClosed) return
        await pause(RETRY_MS)
      }
      this.accepted += 1
      this.#marks = this.#marks.filter(({ count, resolve }) => this.accepted < count || resolve())
    }
  }

  /** Whether the service has accepted it. */
  async #attempt(request) {
    const { url } = this.#service
    if (url !== undefined) {
      const response = await fetch(`${url}/genesys`, request).catch(() => undefined)
      await response?.arrayBuffer().catch(() => {})
      if (response?.ok) return true
      if (response?.status < 500) this.refused += 1
    }
    this.repeated += 1
    return false
  }
}

module.exports = { Sender }
