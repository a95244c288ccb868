'use strict'

// Of the module, not of the global object: fake timers replace the latter.
const { setImmediate } = require('node:timers')

const BRAND = Symbol.for('oauth-rotor.clock')

/** So long, in real time, `advance` waits for what does not follow this clock. */
const PATIENCE_MS = 1000

/**
 * A clock that stands still until it is told to advance. Managers and fake servers that are given
 * the same one live in the same time.
 */
class Clock {
  #now
  #sleepers = []
  #links = new Set()
  #held = 0
  /** Advances one after the other. */
  #last = Promise.resolve()

  constructor({ now = Date.UTC(2026, 0, 1) } = {}) {
    this.#now = wholeMillis(Number(now), 'now')
    Object.defineProperty(this, BRAND, {
      value: { link: (link) => this.#link(link), hold: (work) => this.#hold(work) },
    })
  }

  /** Milliseconds since 1970, as `Date.now()` has them. */
  now() {
    return this.#now
  }

  /** Resolves when this clock has advanced by so much. */
  sleep(millis) {
    const at = this.#now + wholeMillis(millis, 'millis')
    return new Promise((wake) => {
      this.#sleepers.push({ at, wake })
    })
  }

  /**
   * Moves on, from one thing that is due to the next, and resolves when all is quiet at the new time.
   */
  advance(millis) {
    const by = wholeMillis(millis, 'millis')
    const advanced = this.#last.then(() => this.#advanceTo(this.#now + by))
    this.#last = advanced.catch(() => {})
    return advanced
  }

  async #advanceTo(target) {
    await this.#settle()
    for (let next = this.#nextWake(); next <= target; next = this.#nextWake()) {
      this.#set(Math.max(next, this.#now))
      await this.#settle()
    }
    this.#set(target)
    await this.#settle()
  }

  #nextWake() {
    const due = this.#sleepers.map(({ at }) => at)
    for (const link of this.#links) due.push(link.activity().nextWake ?? Infinity)
    return Math.min(...due, Infinity)
  }

  #set(now) {
    this.#now = now
    for (const link of this.#links) link.advance(now)
    const due = this.#sleepers.filter(({ at }) => at <= now)
    this.#sleepers = this.#sleepers.filter(({ at }) => at > now)
    for (const { wake } of due) wake()
  }

  /** Waits until nothing happens any more by itself: twice in a row, with a turn of the event loop between. */
  async #settle() {
    const end = performance.now() + PATIENCE_MS
    for (let quiet = 0; quiet < 2; ) {
      await turn()
      const activities = [...this.#links].map((link) => link.activity())
      const isBusy = activities.some((activity) => activity.isBusy)
      const requests = activities.reduce((sum, activity) => sum + activity.requests, 0)
      const isWaiting = requests > this.#held || activities.some((activity) => activity.isReading)
      quiet = isBusy || (isWaiting && performance.now() < end) ? 0 : quiet + 1
    }
  }

  #link(link) {
    this.#links.add(link)
    return () => this.#links.delete(link)
  }

  /** What a server does in this clock's time keeps nobody waiting for it in real time. */
  async #hold(work) {
    this.#held += 1
    try {
      return await work
    } finally {
      this.#held -= 1
    }
  }
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve))
}

function wholeMillis(value, name) {
  if (Number.isInteger(value) && value >= 0) return value
  throw new TypeError(`${name} takes a whole number of milliseconds from 0, got ${String(value)}.`)
}

/** A clock for managers and fake servers in tests. */
function createClock(options) {
  return new Clock(options)
}

module.exports = { createClock, BRAND }
