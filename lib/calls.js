'use strict'

const { abortable } = require('./abort')
const { ClosedError } = require('./errors')
const { fromNative } = require('./native/reports')
const { callSite } = require('./stacks')

/**
 * The waiting calls of one manager or signer. Each can be aborted without affecting the others.
 * `close()` rejects them all.
 */
class Calls {
  #refusals = new Set()
  /** The class that was closed, such as `'TokenManager'`. Undefined until then. */
  #closed

  /**
   * Returns a promise for the caller of `below`; its errors carry the stack of that caller.
   * `ask(call)` starts the wait and settles it with `call.resolve(value)` or `call.reject(report)`.
   * It sets `call.stop`, which ends the wait early.
   */
  wait(signal, below, ask) {
    const site = callSite(below)
    if (this.#closed) return Promise.reject(closedError(this.#closed, site))
    let call
    const start = () =>
      new Promise((resolve, reject) => {
        const settle = (act, value) => {
          this.#refusals.delete(call.refuse)
          act(value)
        }
        call = {
          resolve: (value) => settle(resolve, value),
          reject: (report) => settle(reject, fromNative(report, site)),
          refuse: () => {
            call.stop()
            settle(reject, closedError(this.#closed, site))
          },
          stop: () => {},
        }
        this.#refusals.add(call.refuse)
        try {
          ask(call)
        } catch (error) {
          settle(reject, error)
        }
      })
    const cancel = () => {
      this.#refusals.delete(call.refuse)
      call.stop()
    }
    return abortable(signal, start, cancel)
  }

  /** `what` is the class that is closed, for the error message. */
  close(what = 'TokenManager') {
    this.#closed = what
    for (const refuse of [...this.#refusals]) refuse()
  }
}

/** Returns what `act` returns, or a rejection with what it throws. */
function rejecting(act) {
  try {
    return act()
  } catch (error) {
    return Promise.reject(error)
  }
}

function closedError(what, site) {
  const again = what === 'TokenManager' ? ' to get tokens again' : ''
  const message = `This ${what} is closed. Create a new one${again}.`
  return fromNative({ code: ClosedError.code, message }, site)
}

module.exports = { Calls, rejecting }
