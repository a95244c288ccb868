'use strict'

/** Counts the requests that passed recently, for the knob `rateLimit`. */
class SlidingWindow {
  #granted = []

  /** Whether one more request may pass now. If so, it counts. A refused one does not. */
  passes(rateLimit, now) {
    if (rateLimit === null) return true
    this.#granted = this.#granted.filter((at) => now - at < rateLimit.perMs)
    if (this.#granted.length >= rateLimit.burst) return false
    this.#granted.push(now)
    return true
  }
}

module.exports = { SlidingWindow }
