'use strict'

const { performance } = require('node:perf_hooks')
// From the modules, because fake timers replace the globals.
const { setImmediate } = require('node:timers')
const { setTimeout: pause } = require('node:timers/promises')

const { BRAND } = require('../clock')
const { LAST_INSTANT, checkMillis, checkObject } = require('../options/plain')

/**
 * How long, in real time, one `advance` waits without progress for what does not follow this clock.
 */
const PATIENCE_MS = 1000

/**
 * How long, in real time, one `advance` waits for the native thread. Only a file that cannot be
 * read takes that long.
 */
const LONGEST_WORK_MS = 10_000

/** The most that a turn of the event loop counts for. A blocked loop cannot see responses. */
const LONGEST_TURN_MS = 10

/** After this many turns of the event loop, `advance` pauses before each further one. */
const EAGER_TURNS = 50

/**
 * A clock that stands still until it is told to advance. `index.d.ts` documents every member.
 *
 * Under its brand it has what managers and servers need: `link({ advance, activity })` connects a
 * native counterpart and returns a function that disconnects it, and `hold(promise)` says that a
 * request waits for this clock.
 */
class Clock {
  #now
  #sleepers = []
  #links = new Set()
  /** Requests that wait for this clock; the oldest first. */
  #holds = new Set()
  /** The latest advance. Each waits for the one before it. */
  #last = Promise.resolve()

  constructor(options) {
    const { now = Date.UTC(2026, 0, 1) } = checkObject(options, ['now'], 'createClock(options)')
    const millis = now !== null && typeof now === 'object' ? Number(now) : now
    this.#now = checkMillis(millis, 'createClock({ now })')
    Object.defineProperty(this, BRAND, {
      value: { link: (link) => this.#link(link), hold: (work) => this.#hold(work) },
    })
  }

  now() {
    return this.#now
  }

  sleep(millis) {
    const at = this.#now + checkMillis(millis, 'sleep(millis)')
    if (at === this.#now) return Promise.resolve()
    return new Promise((wake) => {
      this.#sleepers.push({ at, wake })
    })
  }

  advance(millis) {
    const by = checkMillis(millis, 'advance(millis)', { max: LAST_INSTANT - this.#now })
    const advanced = this.#last.then(() => this.#advanceTo(this.#now + by))
    this.#last = advanced.catch(() => {})
    return advanced
  }

  /** Advances in steps, each to the next thing that is due. */
  async #advanceTo(target) {
    const patience = new Patience()
    await this.#settle(patience)
    for (let next = this.#nextWake(); next <= target || this.#now < target; next = this.#nextWake()) {
      this.#set(Math.min(target, Math.max(next, this.#now)))
      await this.#settle(patience)
    }
  }

  #nextWake() {
    let next = Infinity
    for (const { at } of this.#sleepers) next = Math.min(next, at)
    for (const link of this.#links) next = Math.min(next, link.activity().nextWake ?? Infinity)
    return next
  }

  #set(now) {
    this.#now = now
    for (const link of this.#links) link.advance(now)
    const due = this.#sleepers.filter(({ at }) => at <= now)
    this.#sleepers = this.#sleepers.filter(({ at }) => at > now)
    due.sort((one, other) => one.at - other.at)
    for (const { wake } of due) wake()
  }

  /**
   * Waits until nothing more happens by itself. Checks twice in a row, because the last messages of
   * the native thread are delivered in the turn of the event loop in between.
   */
  async #settle(patience) {
    patience.begin()
    let before = performance.now()
    for (let quiet = 0, turns = 0; quiet < 2; turns++) {
      await (turns < EAGER_TURNS ? turn() : pause(1))
      const now = performance.now()
      const isWaiting = patience.goesOn(this.#observe(), Math.min(now - before, LONGEST_TURN_MS))
      quiet = isWaiting ? 0 : quiet + 1
      before = now
    }
  }

  /**
   * Returns whether the native thread is busy, and how many awaited responses do not wait for this
   * clock.
   */
  #observe() {
    const activities = [...this.#links].map((link) => link.activity())
    if (activities.some(({ isBusy }) => isBusy)) return { isBusy: true, awaited: 0 }
    const requests = activities.reduce((sum, activity) => sum + activity.requests, 0)
    // There may be more holds than requests: the extra ones were given up, or belong to somebody
    // else.
    for (const held of this.#holds) {
      if (this.#holds.size <= requests) break
      this.#holds.delete(held)
    }
    const readings = activities.filter(({ isReading }) => isReading).length
    return { isBusy: false, awaited: requests - this.#holds.size + readings }
  }

  #link(link) {
    this.#links.add(link)
    return () => this.#links.delete(link)
  }

  async #hold(work) {
    const held = {}
    this.#holds.add(held)
    try {
      return await work
    } finally {
      this.#holds.delete(held)
    }
  }
}

/** How long one `advance` waits for things that take real time. */
class Patience {
  #working = 0
  #inVain = 0
  #awaited = 0

  /**
   * Called when the clock has moved. What is no longer awaited may have been given up, which is no
   * progress.
   */
  begin() {
    this.#awaited = 0
  }

  goesOn({ isBusy, awaited }, elapsed) {
    if (isBusy) {
      this.#working += elapsed
      return this.#working < LONGEST_WORK_MS
    }
    this.#working = 0
    if (awaited < this.#awaited) this.#inVain = 0
    this.#awaited = awaited
    if (awaited === 0) return false
    this.#inVain += elapsed
    return this.#inVain < PATIENCE_MS
  }
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A clock for managers and fake servers in tests. */
function createClock(options) {
  return new Clock(options)
}

module.exports = { createClock }
