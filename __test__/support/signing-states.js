'use strict'

// What a thread that signs may assume of the secrets, in shared memory.

/** The words: what is live, and how often was signed. */
const [STATE, SIGNED] = [0, 1]
/** Nothing is known: a rotation, or a retirement, is under way. */
const IN_FLUX = -1
const OVER = -2

/** One secret is live, by its index. */
const alone = (active) => active * 16
/** Two are. */
const both = (active, previous) => active * 16 + previous + 1

/** The indexes of the live secrets, newest first. */
function liveIn(state) {
  const active = Math.floor(state / 16)
  return state % 16 === 0 ? [active] : [active, (state % 16) - 1]
}

module.exports = { IN_FLUX, OVER, SIGNED, STATE, alone, both, liveIn }
