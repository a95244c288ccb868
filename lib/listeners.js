'use strict'

const diagnosticsChannel = require('node:diagnostics_channel')
const { EventEmitter } = require('node:events')
const { EVENTS, KEY_EVENTS } = require('./options/arguments')

const CHANNELS = new Map([EVENTS, KEY_EVENTS].map((events) => [events, channelsOf(events)]))

function channelsOf(events) {
  return new Map(events.map((event) => [event, diagnosticsChannel.channel(`oauth-rotor:${event}`)]))
}

/**
 * The listeners of one manager or signer, and the diagnostics channels that all managers and
 * signers share. `kinds` lists the events.
 */
class Listeners {
  #channels
  #owner
  #environment
  #events = new EventEmitter()

  constructor(owner, environment, kinds = EVENTS) {
    this.#channels = CHANNELS.get(kinds)
    this.#owner = owner
    this.#environment = environment
  }

  /** A manager with a listener stays alive, even if nothing else refers to it. */
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
    if (this.#events.eventNames().length > 0) return true
    return [...this.#channels.values()].some(({ hasSubscribers }) => hasSubscribers)
  }

  /**
   * Whether anybody listens to this event. Only the first of the managers that an event concerns
   * publishes it on the channel.
   */
  areInterested(event, isFirst) {
    const isPublished = isFirst && this.#channels.get(event)?.hasSubscribers
    return isPublished || (this.#channels.has(event) && this.#events.listenerCount(event) > 0)
  }

  tell(event, message, isFirst, onThrown) {
    if (isFirst) this.#channels.get(event).publish(message)
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
