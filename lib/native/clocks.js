'use strict'

const { BRAND } = require('../clock')
const native = require('./load')

/** The native counterparts of test clocks. Each exists as long as a handle uses it. */
class Clocks {
  #linked = new Map()

  /** Counts one more handle that uses a clock, and returns the clock's number. */
  take(clock) {
    let linked = this.#linked.get(clock)
    if (!linked) {
      const id = native.makeClock(clock.now())
      const unlink = clock[BRAND].link({
        advance: (millis) => native.advanceClock(id, millis),
        activity: () => JSON.parse(native.clockActivity(id)),
      })
      linked = { id, unlink, handles: 0 }
      this.#linked.set(clock, linked)
    }
    linked.handles += 1
    return linked.id
  }

  /** Counts one handle less for the clock of this number, and drops it after the last one. */
  letGo(id) {
    for (const [clock, linked] of this.#linked) {
      if (linked.id !== id) continue
      linked.handles -= 1
      if (linked.handles > 0) return
      this.#linked.delete(clock)
      linked.unlink()
      native.dropClock(id)
    }
  }
}

module.exports = { Clocks }
