'use strict'

const http = require('node:http')

/** How often one request asks for its token: only many samples show how long the slowest takes. */
const CALLS = 5

/**
 * Requests to an API at a steady rate, each with a token of the manager; what became of them is
 * counted.
 */
class Load {
  succeeded = 0
  failures = []
  /** Calls of `getToken` that found no token. */
  withoutToken = 0
  #url
  #tokens
  #perSecond
  #agent = new http.Agent({ keepAlive: true })
  #pending = new Set()
  #timer
  #waits = []

  constructor({ url, tokens, perSecond }) {
    this.#url = `${url}/api/v2/conversations`
    this.#tokens = tokens
    this.#perSecond = perSecond
  }

  /** By the clock: what a busy machine held up is made up for. */
  start() {
    const begin = performance.now()
    let started = 0
    this.#timer = setInterval(() => {
      const due = ((performance.now() - begin) / 1000) * this.#perSecond
      for (; started < due; started++) {
        const request = this.#request().finally(() => this.#pending.delete(request))
        this.#pending.add(request)
      }
    }, 1)
  }

  /** How many microseconds each call of `getToken` took since this was asked last. */
  takeWaits() {
    return this.#waits.splice(0)
  }

  async stop() {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
    this.#agent.destroy()
  }

  async #request() {
    try {
      let token
      for (let call = 0; call < CALLS; call++) token = await this.#token()
      const status = await this.#send(token)
      if (status === 200) this.succeeded += 1
      else this.failures.push(`status ${status}`)
    } catch (error) {
      this.failures.push(error.code ?? error.message)
    }
  }

  async #token() {
    if (this.#tokens.peek() === undefined) this.withoutToken += 1
    const before = process.hrtime.bigint()
    const token = await this.#tokens.getToken()
    this.#waits.push(Number(process.hrtime.bigint() - before) / 1000)
    return token
  }

  #send(token) {
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, headers: { Authorization: `Bearer ${token}` } }
      const respond = (response) => response.resume().on('end', () => resolve(response.statusCode))
      http.get(this.#url, options, respond).on('error', reject)
    })
  }
}

/** The value below which such a part of all lies. */
function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)]
}

module.exports = { Load, quantile }
