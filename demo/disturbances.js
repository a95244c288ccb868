'use strict'

const { nextEvent } = require('./events')

const UPLOADS = 20
const OUTAGE_MS = 750
const BLOCK_MS = 2000
const RETRY_AFTER_S = 1
const SPELL = [503, 500]

/**
 * The demo's first part: disturbances, each when the previous one is over and a new token is in
 * use.
 */
class Disturbances {
  #server
  #tokens
  #api
  #report
  #timeline

  constructor({ server, tokens, api, report, timeline }) {
    this.#server = server
    this.#tokens = tokens
    this.#api = api
    this.#report = report
    this.#timeline = timeline
  }

  async run() {
    const all = [this.#revocation, this.#outage, this.#blockage, this.#throttling, this.#spell]
    for (const disturb of all) {
      const before = this.#tokens.status().token.serial
      const isOver = nextEvent(this.#tokens, 'token', ({ serial }) => serial > before)
      await Promise.all([disturb.call(this, isOver), isOver])
    }
  }

  async #revocation(isOver) {
    await this.#api.slowDown(UPLOADS, isOver)
    const before = await this.#server.count()
    this.#timeline.note(`the token in use is revoked, while ${UPLOADS} slow uploads carry it`)
    await this.#server.revoke(this.#tokens.peek())
    await isOver
    await this.#report.rejections(1 + UPLOADS)
    const after = await this.#server.count()
    // A 401 that drops its token may cost a token request; the later ones must cost none.
    this.#report.costOfLate = after.tokenRequests - before.tokenRequests - this.#report.dropped
  }

  async #outage() {
    await this.#untilRefresh(OUTAGE_MS / 2)
    this.#timeline.note(`the token endpoint is cut off for ${OUTAGE_MS} ms, as a refresh is due`)
    await this.#server.set({ outage: true })
    await pause(OUTAGE_MS)
    await this.#server.set({ outage: false })
  }

  /**
   * It begins shortly before the refresh, and ends after the expiry of the token that was held
   * then.
   */
  async #blockage() {
    await this.#untilRefresh(500)
    this.#timeline.note(`the event loop is blocked for ${BLOCK_MS} ms, as a refresh is due`)
    const end = performance.now() + BLOCK_MS
    while (performance.now() < end);
  }

  async #throttling() {
    this.#timeline.note(`the next refresh is answered with 429 and Retry-After: ${RETRY_AFTER_S}`)
    await this.#server.respond({ status: 429, headers: { 'Retry-After': `${RETRY_AFTER_S}` }, body: {} })
  }

  async #spell() {
    this.#timeline.note(`the next refreshes are answered with ${SPELL.join(' and ')}`)
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
