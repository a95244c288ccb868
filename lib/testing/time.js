'use strict'

// Of the modules, not of the global object: fake timers replace the latter.
const { performance } = require('node:perf_hooks')
const { setTimeout: pause } = require('node:timers/promises')

const { BRAND } = require('../clock')

/** The time that a fake server lives in: that of a clock, or the real one. */
class Time {
  #clock
  #isAskedByManagers

  /**
   * The clock counts the requests of managers, and has to be told which of them wait for it. One of
   * somebody else would stand for a manager's that does not.
   */
  constructor(clock, { isAskedByManagers = false } = {}) {
    this.#clock = clock
    this.#isAskedByManagers = isAskedByManagers
  }

  now() {
    return this.#clock ? this.#clock.now() : Math.floor(performance.timeOrigin + performance.now())
  }

  /** Resolves after so long, or as soon as the signal is aborted. */
  async wait(millis, signal) {
    if (millis === 0 || signal.aborted) return
    if (!this.#clock) return pause(millis, undefined, { signal }).catch(() => {})
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    const waited = Promise.race([this.#clock.sleep(millis), aborted])
    await (this.#isAskedByManagers ? this.#clock[BRAND].hold(waited) : waited)
  }
}

module.exports = { Time }
