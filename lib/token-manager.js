'use strict'

const diagnosticsChannel = require('node:diagnostics_channel')
const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')
const { abortable } = require('./abort')
const { EVENTS, checkEvent, checkOptions, checkToken } = require('./arguments')
const { Environment } = require('./environment')
const { ClosedError, callSite, fromNative } = require('./errors')
const native = require('./load-native')
const { parseOptions } = require('./options')

/** No word ever holds it. */
const NOTHING_CACHED = -1

const CHANNELS = new Map(EVENTS.map((event) => [event, diagnosticsChannel.channel(`oauth-rotor:${event}`)]))

/** A token that is always there. `index.d.ts` documents every member. */
class TokenManager {
  // The hot path reads these five, and nothing else.
  #words
  #index
  #stamp = NOTHING_CACHED
  #promise
  #usableUntil

  #token
  #strict
  #clock
  #name
  #timeZone
  #sources
  /** Readings of asynchronous sources that are under way, so that none is asked twice at a time. */
  #reading = new Map()
  #environment
  #handle
  #slot
  #closed = false
  #events = new EventEmitter()
  #refusals = new Set()

  constructor(options) {
    const {
      name,
      timeZone,
      strict,
      clock,
      sources,
      native: settings,
    } = parseOptions(options, {
      isTimeZone: native.isTimeZone,
      genesysHost: native.genesysHost,
      below: TokenManager,
    })
    this.#name = name
    this.#timeZone = timeZone
    this.#strict = strict
    this.#clock = clock ?? Date
    this.#sources = sources
    this.#environment = Environment.current()
    const { handle, slot } = this.#environment.open(this, settings, clock, TokenManager)
    this.#handle = handle
    this.#slot = slot
    this.#words = slot.words
    this.#index = slot.index
  }

  getToken(options) {
    if (
      options === undefined &&
      this.#words[this.#index] === this.#stamp &&
      (!this.#strict || this.#clock.now() < this.#usableUntil)
    ) {
      return this.#promise
    }
    return this.#getTokenSlowly(options)
  }

  peek() {
    if (
      this.#words[this.#index] === this.#stamp &&
      (!this.#strict || this.#clock.now() < this.#usableUntil)
    ) {
      return this.#token
    }
    return this.#closed ? undefined : this.#take()
  }

  ready(options) {
    try {
      const { signal } = checkOptions('ready', options, ['signal'], this.ready)
      return this.#wait({ signal, forReadiness: true, below: this.ready })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  invalidate(token) {
    checkToken(token, this.invalidate)
    return !this.#closed && native.invalidate(this.#handle, token)
  }

  reload() {
    if (!this.#closed) native.reload(this.#handle)
  }

  status() {
    const { token, credentials, refreshing, nextRefreshAt, lastError } = this.#snapshot()
    return {
      name: this.#name,
      timeZone: this.#timeZone,
      closed: this.#closed,
      token: token && this.#withInstants(token),
      credentials: credentials.map(({ credentialId: id, ...credential }) => ({ id, ...credential })),
      refreshing,
      ...this.#withInstants({ nextRefreshAt }),
      lastError: lastError && {
        ...this.#withInstants({ at: lastError.at }),
        error: fromNative(lastError.error),
      },
    }
  }

  health() {
    return this.#snapshot().health
  }

  on(event, listener) {
    this.#events.on(checkEvent(event, this.on), listener)
    return this
  }

  once(event, listener) {
    this.#events.once(checkEvent(event, this.once), listener)
    return this
  }

  off(event, listener) {
    this.#events.off(checkEvent(event, this.off), listener)
    return this
  }

  async close() {
    if (this.#closed) return
    this.#closed = true
    this.#forgetToken()
    this.#environment.close(this.#handle, this.#slot)
    for (const refuse of [...this.#refusals]) refuse()
  }

  // Node 20 has the symbol; older TypeScript targets look it up under this name.
  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.close()
  }

  toJSON() {
    return { name: this.#name, closed: this.#closed, ...this.health() }
  }

  [inspect.custom](_depth, options) {
    return `TokenManager ${inspect(this.toJSON(), options)}`
  }

  /** Called by the environment: an event of the native manager. The first handle publishes it to the channel. */
  _emit({ event, seq, at, payload }, isFirst, onThrown) {
    const channel = CHANNELS.get(event)
    if (!channel) return
    const isPublished = isFirst && channel.hasSubscribers
    if (!isPublished && this.#events.listenerCount(event) === 0) return
    const { error, ...rest } = payload
    const message = { name: this.#name, seq, ...this.#withInstants({ at, ...rest }) }
    if (error) message.error = fromNative(error)
    if (isPublished) channel.publish(message)
    for (const listener of this.#events.rawListeners(event)) {
      try {
        listener.call(this, message)
      } catch (thrown) {
        onThrown(thrown)
      }
    }
  }

  /** Called by the environment: the native part asks for the JavaScript sources. */
  async _readSources() {
    const readings = await Promise.all(this.#sources.map((source) => this.#read(source)))
    if (!this.#closed) native.sourcesRead(this.#handle, JSON.stringify(readings))
  }

  #read(source) {
    if (source.sync) return source.read()
    let reading = this.#reading.get(source)
    if (!reading) {
      reading = source.read().finally(() => this.#reading.delete(source))
      this.#reading.set(source, reading)
    }
    return reading
  }

  #getTokenSlowly(options) {
    try {
      const { minValidityMs = 0, signal } = checkOptions(
        'getToken',
        options,
        ['minValidityMs', 'signal'],
        this.getToken,
      )
      if (minValidityMs === 0 && !signal?.aborted && !this.#closed) {
        const token = this.#take()
        if (token !== undefined) return this.#token === token ? this.#promise : Promise.resolve(token)
      }
      return this.#wait({ minValidityMs, signal, below: this.getToken })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The token held now, kept for the hot path. */
  #take() {
    // Read first: a token that is replaced in between costs one more miss, and is never kept too long.
    const stamp = this.#words[this.#index]
    const held = native.take(this.#handle)
    if (!held) return undefined
    if (stamp !== 0) {
      if (held.token !== this.#token) {
        this.#token = held.token
        this.#promise = Promise.resolve(held.token)
      }
      this.#usableUntil = held.usableUntil
      this.#stamp = stamp
    }
    return held.token
  }

  #forgetToken() {
    this.#stamp = NOTHING_CACHED
    this.#token = undefined
    this.#promise = undefined
  }

  /** Waits in the native part; each call has its own place there, so that one's abort is nobody else's. */
  #wait({ minValidityMs = 0, signal, forReadiness = false, below }) {
    if (this.#closed) return Promise.reject(closedError(callSite(below)))
    const site = callSite(below)
    let waiter
    let refuse
    const start = () =>
      new Promise((resolve, reject) => {
        refuse = () => {
          stop()
          reject(closedError(site))
        }
        const settle = (error) => {
          if (error) return finish(reject, fromNative(error, site))
          if (forReadiness) return finish(resolve)
          const token = this.#take()
          // It ended between the native thread's message and this turn of the event loop.
          if (token === undefined) return ask()
          finish(resolve, token)
        }
        const finish = (act, value) => {
          this.#refusals.delete(refuse)
          act(value)
        }
        const ask = () => {
          waiter = this.#environment.wait(this.#handle, minValidityMs, forReadiness, settle)
        }
        this.#refusals.add(refuse)
        ask()
      })
    const stop = () => {
      this.#refusals.delete(refuse)
      this.#environment.stopWaiting(this.#handle, waiter)
    }
    return abortable(signal, start, stop)
  }

  #snapshot() {
    const snapshot = this.#closed ? null : JSON.parse(native.status(this.#handle))
    return (
      snapshot ?? {
        token: null,
        credentials: [],
        refreshing: false,
        nextRefreshAt: null,
        lastError: null,
        health: { ready: false, degraded: true, reasons: ['This TokenManager is closed.'], tokenRunwayMs: 0 },
      }
    )
  }

  /** Turns every `at` and `…At` into a Date, with its local text beside it. */
  #withInstants(object) {
    const result = {}
    for (const [key, value] of Object.entries(object)) {
      const isInstant = key === 'at' || key.endsWith('At')
      result[key] = isInstant && value !== null ? new Date(value) : value
      if (isInstant) result[`${key}Local`] = value === null ? null : native.formatLocal(value, this.#timeZone)
    }
    return result
  }
}

function closedError(site) {
  const message = 'This TokenManager was closed. Make a new one to get tokens again.'
  return fromNative({ code: ClosedError.code, message }, site)
}

module.exports = { TokenManager }
