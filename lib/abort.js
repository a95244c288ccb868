'use strict'

const { makeError } = require('./errors')

/** Throws the signal's reason when it is aborted already, or an error when it is no signal. */
function checkSignal(signal, above) {
  if (signal === undefined) return
  const isSignal = typeof signal === 'object' && signal !== null && typeof signal.aborted === 'boolean'
  if (!isSignal || typeof signal.addEventListener !== 'function') {
    throw makeError('ERR_INVALID_ARGUMENT', 'signal must be an AbortSignal.', { option: 'signal' }, above)
  }
  if (signal.aborted) throw signal.reason
}

/** Calls back once when the signal aborts; the returned function stops listening. */
function onAbort(signal, callback) {
  if (signal === undefined) return () => {}
  const listener = () => callback(signal.reason)
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

module.exports = { checkSignal, onAbort }
