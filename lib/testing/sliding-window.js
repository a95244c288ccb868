'use strict'

/** Counts what was let through in the time just past, for the knob `rateLimit`. */
class SlidingWindow {
  #granted = []

  /** Whether one more may pass now; if so, it counts. What is refused does not. */
  passes(rateLimit, now) {
    if (rateLimit === null) return true
    this.#granted = this.#granted.filter((at) => now - at < rateLimit.perMs)
    if (this.#granted.length >= rateLimit.burst) return false
    this.#granted.push(now)
    return true
  }
}

module.exports = { SlidingWindow }
