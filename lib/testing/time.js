'use strict'

// From the modules, because fake timers replace the globals.
const { performance } = require('node:perf_hooks')
const { setTimeout: pause } = require('node:timers/promises')

const { BRAND } = require('../clock')

/** The time of a fake server: that of a clock, or the real one. */
class Time {
  #clock
  #isAskedByManagers

  /**
   * With `isAskedByManagers`, tells the clock that a manager's request waits for it. It must not be
   * told of other requests: it would mistake one for a manager's request that does not wait for it.
   */
  constructor(clock, { isAskedByManagers = false } = {}) {
    this.#clock = clock
    this.#isAskedByManagers = isAskedByManagers
  }

  now() {
    return this.#clock ? this.#clock.now() : Math.floor(performance.timeOrigin + performance.now())
  }

  /** Resolves after `millis` ms, or as soon as the signal is aborted. */
  async wait(millis, signal) {
    if (millis === 0 || signal.aborted) return
    if (!this.#clock) return pause(millis, undefined, { signal }).catch(() => {})
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    const waited = Promise.race([this.#clock.sleep(millis), aborted])
    await (this.#isAskedByManagers ? this.#clock[BRAND].hold(waited) : waited)
  }
}

module.exports = { Time }
