'use strict'

/** Counts what happens in the demo and shows it: a line that moves on a terminal, plain lines elsewhere. */
class Report {
  started = 0
  succeeded = 0
  failed = 0
  /** How many disturbances are still to come. */
  disturbances = 0
  /** How many token requests all 401s together caused. */
  costOfRejections = 0
  #expected
  #seconds
  #withoutToken = 0
  #longestWait = 0
  #lost = []
  #dropped = 0
  #late = 0
  #onRejection = () => {}
  #failedRefreshes = 0
  #reasons = new Map()
  #lastLine = 0
  #begin = performance.now()

  constructor({ seconds, perSecond }) {
    this.#seconds = seconds
    this.#expected = seconds * perSecond
  }

  get isGood() {
    const isComplete = this.succeeded === this.#expected && this.disturbances === 0
    return isComplete && this.failed === 0 && this.#costOfLate === 0
  }

  /** A 401 that drops its token is worth a token request; none of those that come later is. */
  get #costOfLate() {
    return this.costOfRejections - this.#dropped
  }

  start(what) {
    this.#begin = performance.now()
    this.#print(what)
  }

  note(what) {
    const at = ((performance.now() - this.#begin) / 1000).toFixed(1).padStart(5)
    this.#print(`${at} s  ${what}`)
  }

  tokenLost(serial, reason) {
    this.#lost.push(reason)
    this.note(`token ${serial} is no longer handed out: ${reason}`)
  }

  refreshFailed({ error, at, nextAttemptAt, runwayMs }) {
    this.#failedRefreshes += 1
    const wait = nextAttemptAt - at
    this.note(
      `a refresh failed (${error.status ?? 'no answer'}); the held token lasts ${runwayMs} ms, next attempt in ${wait} ms`,
    )
  }

  /** A 401 was reported; it dropped its token, or it came late. */
  rejected(hasDropped) {
    if (hasDropped) this.#dropped += 1
    else this.#late += 1
    this.#onRejection()
  }

  /** Resolves when so many 401s have been reported. */
  rejections(count) {
    return new Promise((resolve) => {
      this.#onRejection = () => {
        if (this.#dropped + this.#late >= count) resolve()
      }
      this.#onRejection()
    })
  }

  waited(millis, hadToken) {
    if (!hadToken) this.#withoutToken += 1
    if (!hadToken && millis > this.#longestWait) this.#longestWait = millis
  }

  fail(error) {
    this.failed += 1
    const reason = error.code ?? error.message
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
  }

  progress(elapsed) {
    const interval = process.stdout.isTTY ? 0.1 : 3
    if (elapsed - this.#lastLine < interval) return
    this.#lastLine = elapsed
    const line = `${elapsed.toFixed(1).padStart(5)} s  ${this.succeeded} ok, ${this.#dropped + this.#late} replayed, ${this.failed} failed`
    if (!process.stdout.isTTY) return void console.log(line)
    const width = 24
    const filled = Math.min(width, Math.round((elapsed / this.#seconds) * width))
    process.stdout.write(`\r\u001b[K${line}  [${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`)
  }

  finish({ tokenRequests }) {
    const expired = this.#lost.filter((reason) => reason === 'expired').length
    const rows = [
      ['requests', this.#expected],
      ['succeeded', this.succeeded],
      ['failed', this.failed],
      ['replayed once after a 401', this.#dropped + this.#late],
      ['401s that dropped their token', this.#dropped],
      ['401s that were reported late', this.#late],
      ['token requests that those cost', this.#costOfLate],
      ['token requests', tokenRequests],
      ['of these, failed refreshes', this.#failedRefreshes],
      ['refreshes that came too late', expired],
      ['requests that found no token', this.#withoutToken],
      ['longest wait of those', `${this.#longestWait.toFixed(0)} ms`],
    ]
    this.#print('')
    for (const [name, value] of rows) console.log(`  ${name.padEnd(32)}${String(value).padStart(8)}`)
    for (const [reason, count] of this.#reasons) console.log(`  failed with ${reason}: ${count}`)
    console.log(this.failed === 0 ? '\nNot one request failed.' : `\n${this.failed} requests failed.`)
  }

  #print(line) {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K')
    console.log(line)
  }
}

module.exports = { Report }
