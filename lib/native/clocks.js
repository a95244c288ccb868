'use strict'

const { BRAND } = require('../clock')
const native = require('./load')

/** The native counterparts of clocks that tests turn by hand, each as long as a handle is on it. */
class Clocks {
  #linked = new Map()

  /** The number of a clock, for one handle more. */
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

  /** One handle less is on the clock of that number. */
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
