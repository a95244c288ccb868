'use strict'

/** What becomes of alert events: alerts that are open, or were. */
class Alerts {
  list = []

  /** Applies an event that was accepted. What is about no open alert is dropped, unless it opens one. */
  apply({ routingKey, dedupKey, action, payload }, at) {
    const open = this.#open(routingKey, dedupKey)
    if (action !== 'trigger') {
      if (open) open.status = action === 'resolve' ? 'resolved' : 'acknowledged'
    } else if (open) {
      open.triggers += 1
      open.payload = payload
    } else {
      this.list.push({ at, dedupKey, routingKey, status: 'triggered', triggers: 1, payload })
    }
  }

  /** A dedup key means the alert of its own routing key, and none that is resolved. */
  #open(routingKey, dedupKey) {
    return this.list.find((alert) => {
      return alert.routingKey === routingKey && alert.dedupKey === dedupKey && alert.status !== 'resolved'
    })
  }
}

module.exports = { Alerts }
