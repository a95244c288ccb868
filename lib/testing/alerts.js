'use strict'

/** The alerts that events open, acknowledge and resolve. */
class Alerts {
  list = []

  /** Applies an accepted event. An event without an open alert is dropped, unless it opens one. */
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

  /** Returns the open alert with this routing key and dedup key. */
  #open(routingKey, dedupKey) {
    return this.list.find((alert) => {
      return alert.routingKey === routingKey && alert.dedupKey === dedupKey && alert.status !== 'resolved'
    })
  }
}

module.exports = { Alerts }
