'use strict'

/**
 * Settles as the promise of `start()` does, or rejects with `signal.reason` if the signal is
 * aborted first.
 *
 * If the signal is already aborted, `start` is not called. An abort calls `cancel()` once; the
 * outcome of the promise is then ignored. A settled call no longer listens to the signal.
 */
function abortable(signal, start, cancel = () => {}) {
  if (signal === undefined) return start()
  if (signal.aborted) return Promise.reject(reasonOf(signal))
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(reasonOf(signal))
      cancel()
    }
    const settle = (finish) => (outcome) => {
      stopListening(signal, onAbort)
      finish(outcome)
    }
    listen(signal, onAbort)
    try {
      start().then(settle(resolve), settle(reject))
    } catch (error) {
      settle(reject)(error)
    }
  })
}

/**
 * The calls that wait on each signal. They share one listener: Node.js warns of a leak when a
 * signal has many.
 */
const waiting = new WeakMap()

function listen(signal, onAbort) {
  const known = waiting.get(signal)
  if (known) return void known.calls.add(onAbort)
  const calls = new Set([onAbort])
  const listener = () => {
    waiting.delete(signal)
    for (const call of calls) call()
  }
  signal.addEventListener('abort', listener, { once: true })
  waiting.set(signal, { calls, listener })
}

function stopListening(signal, onAbort) {
  const { calls, listener } = waiting.get(signal) ?? {}
  if (!calls?.delete(onAbort) || calls.size > 0) return
  waiting.delete(signal)
  signal.removeEventListener('abort', listener)
}

/**
 * Returns the reason of an abort. A polyfill may have none, and a rejection with `undefined` would
 * explain nothing.
 */
function reasonOf({ reason }) {
  return reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
}

/**
 * Checks the shape, not the class: a Jest environment and a polyfill have their own AbortSignal.
 */
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
