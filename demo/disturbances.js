'use strict'

const REVOCATION_AT = 0.7
const UPLOADS = 20
const OUTAGE_MS = 750
const BLOCK_MS = 2000
const RETRY_AFTER_S = 1
const SPELL = [503, 500]

/**
 * What goes wrong in the demo: the first thing at its time, each of the others when the one before
 * is over and a new token is in use.
 */
class Disturbances {
  #server
  #tokens
  #api
  #report
  #hasBegun = false
  #next = [this.#outage, this.#blockage, this.#throttling, this.#spell]

  constructor({ server, tokens, api, report }) {
    this.#server = server
    this.#tokens = tokens
    this.#api = api
    this.#report = report
    report.disturbances = 1 + this.#next.length
  }

  begin(elapsed) {
    if (this.#hasBegun || elapsed < REVOCATION_AT) return
    this.#hasBegun = true
    this.#run(this.#revocation)
  }

  async #run(disturb) {
    const { serial } = this.#tokens.status().token
    const isOver = this.#successor(serial)
    this.#report.disturbances -= 1
    await Promise.all([disturb.call(this, isOver), isOver])
    const next = this.#next.shift()
    if (next) await this.#run(next)
  }

  /** Resolves when a token is in use that comes after this one. */
  #successor(serial) {
    return new Promise((resolve) => {
      const listener = (token) => {
        if (token.serial <= serial) return
        this.#tokens.off('token', listener)
        resolve()
      }
      this.#tokens.on('token', listener)
    })
  }

  async #revocation(isOver) {
    await this.#api.slowDown(UPLOADS, isOver)
    const before = await this.#server.count()
    this.#report.note(`the provider revokes the token that is in use, while ${UPLOADS} slow uploads carry it`)
    await this.#server.revoke(this.#tokens.peek())
    await isOver
    await this.#report.rejections(1 + UPLOADS)
    const after = await this.#server.count()
    this.#report.costOfRejections = after.tokenRequests - before.tokenRequests
  }

  async #outage() {
    await this.#untilRefresh(OUTAGE_MS / 2)
    this.#report.note(`the token endpoint is cut off for ${OUTAGE_MS} ms, just when a refresh is due`)
    await this.#server.set({ outage: true })
    await pause(OUTAGE_MS)
    await this.#server.set({ outage: false })
  }

  /** It begins shortly before the refresh, and ends after the token that was held then. */
  async #blockage() {
    await this.#untilRefresh(500)
    this.#report.note(
      `the event loop is blocked for ${BLOCK_MS} ms while a refresh is due; the native thread goes on`,
    )
    const end = performance.now() + BLOCK_MS
    while (performance.now() < end);
  }

  async #throttling() {
    this.#report.note(`the next refresh is answered with 429 and Retry-After: ${RETRY_AFTER_S}`)
    await this.#server.respond({ status: 429, headers: { 'Retry-After': `${RETRY_AFTER_S}` }, body: {} })
  }

  async #spell() {
    this.#report.note(`the next refreshes are answered with ${SPELL.join(' and ')}`)
    await this.#server.respond(...SPELL.map((status) => ({ status, body: 'Out of order' })))
  }

  #untilRefresh(millis) {
    return pause(this.#tokens.status().nextRefreshAt - Date.now() - millis)
  }
}

function pause(millis) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, millis)))
}

module.exports = { Disturbances }
