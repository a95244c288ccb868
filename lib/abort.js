'use strict'

/**
 * Settles as the promise of `start()` does, or rejects with `signal.reason` when the signal is
 * aborted first.
 *
 * With a signal that is aborted already, `start` is not called. On an abort, `cancel()` is called
 * once, and what becomes of the promise is ignored. Nothing listens to the signal when either side
 * has settled.
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

/** The calls that wait on a signal: it gets one listener however many they are, or Node.js warns of a leak. */
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

/** A polyfill may know no reason; nobody can make sense of a rejection with `undefined`. */
function reasonOf({ reason }) {
  return reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
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
