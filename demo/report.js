'use strict'

/** Counts what happens in the demo, and prints the sums. */
class Report {
  started = 0
  succeeded = 0
  failed = 0
  /** Messages about unexpected results. */
  surprises = []
  /** How many token requests the late 401s cost. */
  costOfLate = 0
  dropped = 0
  late = 0
  #reasons = new Map()
  #withoutToken = 0
  #longestWait = 0
  #expired = 0
  #retired = []
  #onRejection = () => {}
  #server

  constructor({ tokens, server }) {
    this.#server = server
    tokens.on('token-retired', ({ reason }) => {
      if (reason === 'expired') this.#expired += 1
    })
    tokens.on('rotation', ({ change, previous }) => {
      if (change === 'retired') this.#retired.push({ label: previous.label, since: server.count() })
    })
  }

  /** Counts a reported 401, which dropped its token or came late. */
  rejected(hasDropped) {
    if (hasDropped) this.dropped += 1
    else this.late += 1
    this.#onRejection()
  }

  /** Resolves when `count` 401s have been reported. */
  rejections(count) {
    return new Promise((resolve) => {
      this.#onRejection = () => {
        if (this.dropped + this.late >= count) resolve()
      }
      this.#onRejection()
    })
  }

  waited(millis, hadToken) {
    if (hadToken) return
    this.#withoutToken += 1
    this.#longestWait = Math.max(this.#longestWait, millis)
  }

  fail(error) {
    this.failed += 1
    const reason = error.code ?? error.message
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
  }

  /**
   * Prints the table, and returns whether all is well. `secrets` has the credentials by their
   * labels.
   */
  async finish(secrets) {
    const usesOfRetired = await this.#usesOfRetired(secrets)
    const { tokenRequests } = await this.#server.count()
    const rows = [
      ['requests sent', this.started],
      ['failed', this.failed],
      ['token requests', tokenRequests],
      ['credentials retired', this.#retired.length],
      ['uses of a retired secret', usesOfRetired],
      ['late tokens: the one before had expired', this.#expired],
      ['repeated once after a 401', this.dropped + this.late],
      ['token requests that late 401s cost', this.costOfLate],
      ['requests that waited for a token', this.#withoutToken],
      ['the longest of these waits', `${this.#longestWait.toFixed(0)} ms`],
    ]
    console.log()
    for (const [name, value] of rows) console.log(`  ${name.padEnd(42)}${String(value).padStart(8)}`)
    for (const [reason, count] of this.#reasons) console.log(`  failed with ${reason}: ${count}`)
    for (const surprise of this.surprises) console.log(`  unexpected: ${surprise}`)
    const isComplete = this.succeeded === this.started && this.failed === 0
    const isGood = isComplete && usesOfRetired === 0 && this.#expired === 0 && this.costOfLate === 0
    console.log(this.failed === 0 ? '\nNot one request failed.' : `\n${this.failed} requests failed.`)
    return isGood && this.surprises.length === 0
  }

  /** Returns how often a secret was presented after its retirement. */
  async #usesOfRetired(secrets) {
    let uses = 0
    for (const { label, since } of this.#retired) {
      const { clientId, clientSecret } = secrets.get(label)
      const later = await this.#server.tokenRequests((await since).tokenRequests)
      uses += later.filter((one) => one.clientId === clientId && one.presented === clientSecret).length
    }
    return uses
  }
}

module.exports = { Report }
