'use strict'

/** Resolves with the next event of that name, or the next one that fits. */
function nextEvent(tokens, name, fits = () => true) {
  return new Promise((resolve) => {
    const listener = (payload) => {
      if (!fits(payload)) return
      tokens.off(name, listener)
      resolve(payload)
    }
    tokens.on(name, listener)
  })
}

module.exports = { nextEvent }
