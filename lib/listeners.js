'use strict'

const diagnosticsChannel = require('node:diagnostics_channel')
const { EventEmitter } = require('node:events')
const { EVENTS } = require('./options/arguments')

const CHANNELS = new Map(EVENTS.map((event) => [event, diagnosticsChannel.channel(`oauth-rotor:${event}`)]))
const ALL_CHANNELS = [...CHANNELS.values()]

/** The listeners of one manager, and the diagnostics channels that all managers share. */
class Listeners {
  #owner
  #environment
  #events = new EventEmitter()

  constructor(owner, environment) {
    this.#owner = owner
    this.#environment = environment
  }

  /** A manager with a listener is kept, even if nobody else refers to it. */
  on(event, listener) {
    this.#events.on(event, listener)
    this.#environment.keep(this.#owner)
  }

  once(event, listener) {
    const wrapper = (payload) => {
      this.off(event, wrapper)
      return listener.call(this.#owner, payload)
    }
    // `off` finds the wrapper by the listener.
    wrapper.listener = listener
    this.on(event, wrapper)
  }

  off(event, listener) {
    this.#events.off(event, listener)
    if (this.#events.eventNames().length === 0) this.#environment.unkeep(this.#owner)
  }

  clear() {
    this.#events.removeAllListeners()
  }

  /** Whether anybody listens to any event. */
  areThere() {
    return this.#events.eventNames().length > 0 || ALL_CHANNELS.some(({ hasSubscribers }) => hasSubscribers)
  }

  /**
   * Whether anybody listens to this event. Of the managers that an event concerns, the first one
   * publishes it on the channel.
   */
  areInterested(event, isFirst) {
    const isPublished = isFirst && CHANNELS.get(event)?.hasSubscribers
    return isPublished || (CHANNELS.has(event) && this.#events.listenerCount(event) > 0)
  }

  tell(event, message, isFirst, onThrown) {
    if (isFirst) CHANNELS.get(event).publish(message)
    for (const listener of this.#events.rawListeners(event)) {
      try {
        listener.call(this.#owner, message)
      } catch (thrown) {
        onThrown(thrown)
      }
    }
  }
}

module.exports = { Listeners }
