'use strict'

/**
 * Settles as the promise of `start()` does, or rejects with `signal.reason` when the signal is
 * aborted first.
 *
 * With a signal that is aborted already, `start` is not called. On an abort, `cancel()` is called
 * once, and what becomes of the promise is ignored. The listener is removed when either side has
 * settled.
 */
function abortable(signal, start, cancel = () => {}) {
  if (signal === undefined) return start()
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(signal.reason)
      cancel()
    }
    const settle = (finish) => (outcome) => {
      signal.removeEventListener('abort', onAbort)
      finish(outcome)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      start().then(settle(resolve), settle(reject))
    } catch (error) {
      settle(reject)(error)
    }
  })
}

/** Goes by shape: a Jest environment and a polyfill have an AbortSignal class of their own. */
function isAbortSignal(value) {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof value.aborted === 'boolean' &&
    typeof value.addEventListener === 'function' &&
    typeof value.removeEventListener === 'function'
  )
}

module.exports = { abortable, isAbortSignal }
