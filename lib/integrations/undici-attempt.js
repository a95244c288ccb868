'use strict'

const { MOST_DRAINED_BYTES } = require('./authorized-requests')
const { isSameOrigin } = require('./redirects')

/** The methods that are called before a response. */
const BEFORE = ['onUpgrade', 'onRequestUpgrade', 'onResponseStarted', 'onBodySent', 'onRequestSent']
/** The methods for the rest of a response, and for its end. */
const AFTER = ['onComplete', 'onResponseEnd', 'onError', 'onResponseError']

/**
 * A handler in front of another. It passes on everything except a response that it takes over. It
 * has the methods of undici 6 and those of later versions; each version calls its own.
 */
class Attempt {
  #origin
  #handler
  #takesOver
  #history
  #isOver = false
  #abort
  #left = MOST_DRAINED_BYTES

  /**
   * `takesOver({ status, challenge, isRedirected })` tells whether the response is kept from the
   * handler. It may throw instead.
   */
  constructor(origin, handler, takesOver) {
    this.#origin = origin
    this.#handler = handler
    this.#takesOver = takesOver
  }

  onConnect(abort, context) {
    this.#history = context?.history
    this.#abort = abort
    return this.#handler.onConnect(abort, context)
  }

  onRequestStart(controller, context) {
    this.#history = context?.history
    this.#abort = (reason) => controller.abort(reason)
    return this.#handler.onRequestStart(controller, context)
  }

  onHeaders(status, headers, resume, message) {
    if (this.#isTakenOver(status, () => valueOf(headers, 'www-authenticate'))) return true
    return this.#handler.onHeaders(status, headers, resume, message)
  }

  onResponseStart(controller, status, headers, message) {
    if (this.#isTakenOver(status, () => headers['www-authenticate'], controller)) return
    this.#handler.onResponseStart?.(controller, status, headers, message)
  }

  onData(chunk) {
    return this.#isOver ? this.#drain(chunk) : this.#handler.onData(chunk)
  }

  onResponseData(controller, chunk) {
    if (this.#isOver) this.#drain(chunk)
    else this.#handler.onResponseData?.(controller, chunk)
  }

  /**
   * Aborts an unused response when it is long: it may be endless, and the repeated request may wait
   * for its connection.
   */
  #drain(chunk) {
    this.#left -= chunk.length
    if (this.#left < 0) this.#abort(new Error('Nobody reads the rest of this answer'))
    return true
  }

  #isTakenOver(status, challenge, controller) {
    if ((status !== 401 && status !== 403) || this.#wentElsewhere()) return false
    try {
      this.#isOver = this.#takesOver({
        status,
        challenge: challenge(),
        isRedirected: this.#history?.length > 1,
      })
    } catch (error) {
      // Not thrown here: that would cut a connection that other requests share.
      this.#isOver = true
      if (this.#handler.onResponseError) this.#handler.onResponseError(controller, error)
      else this.#handler.onError(error)
    }
    return this.#isOver
  }

  /** Whether a redirect led to another origin, for which undici removes the token. */
  #wentElsewhere() {
    return (this.#history ?? []).some((url) => !isSameOrigin(url, this.#origin))
  }

  static {
    for (const name of BEFORE) {
      this.prototype[name] = function (...args) {
        return this.#handler[name]?.(...args)
      }
    }
    for (const name of AFTER) {
      this.prototype[name] = function (...args) {
        return this.#isOver || this.#handler[name]?.(...args)
      }
    }
  }
}

/** Returns the value of a header in the list of undici 6, where names and values alternate. */
function valueOf(headers, wanted) {
  const index = headers.findIndex((name, at) => at % 2 === 0 && String(name).toLowerCase() === wanted)
  return index < 0 ? undefined : headers[index + 1]
}

module.exports = { Attempt }
