'use strict'

const diagnosticsChannel = require('node:diagnostics_channel')
const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')
const { abortable } = require('./abort')
const { EVENTS, checkListener, checkOptions, checkToken } = require('./arguments')
const { Environment } = require('./environment')
const { ClosedError, callSite, fromNative } = require('./errors')
const native = require('./load-native')
const { parseOptions, systemTimeZone } = require('./options')

/** No word ever holds it. */
const NOTHING_CACHED = -1

const CHANNELS = new Map(EVENTS.map((event) => [event, diagnosticsChannel.channel(`oauth-rotor:${event}`)]))

/** A token that is always there. `index.d.ts` documents every member. */
class TokenManager {
  // The hot path reads these three, and nothing else: each further check is measurable beside an `await`.
  /** A view of this manager's word alone; the native part keeps the stamp of the token in it. */
  #word
  #stamp = NOTHING_CACHED
  #promise

  /** Takes the place of `#stamp` under `strict`, where a hit also asks the clock. */
  #strictStamp = NOTHING_CACHED
  #usableUntil
  #token
  #strict
  #clock
  #name
  #timeZone
  #sources
  /** Asynchronous sources that have not answered yet, so that none is asked twice at a time. */
  #asked = new Set()
  /** What the sources answered in the reading under way; null where an answer is still to come. */
  #readings
  #environment
  #handle
  #slot
  #closed = false
  /** What it counted, for a scrape that comes after its end. */
  #lastMetrics
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
    this.#readings = sources.map(() => null)
    this.#environment = Environment.current()
    const { handle, slot } = this.#environment.open(this, settings, clock, TokenManager)
    this.#handle = handle
    this.#slot = slot
    this.#word = slot.words.subarray(slot.index, slot.index + 1)
  }

  getToken(options) {
    if (this.#word[0] === this.#stamp && options === undefined) return this.#promise
    return this.#getTokenSlowly(options)
  }

  peek() {
    if (this.#word[0] === this.#stamp || this.#isUsableByTheClock()) return this.#token
    return this.#closed ? undefined : this.#take()
  }

  ready(options) {
    try {
      const { signal } = checkOptions('ready', options, ['signal'], this.ready)
      return this.#wait({ minValidityMs: 0, signal, forReadiness: true, below: this.ready })
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
    const { token, credentials, refreshing, nextRefreshAt, lastError } = this.#snapshot('status')
    return {
      name: this.#name,
      timeZone: this.#localTimeZone(),
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
    return this.#snapshot('health')
  }

  metrics() {
    return this.#snapshot('metrics')
  }

  on(event, listener) {
    checkListener('on', event, listener, this.on)
    this.#listen(event, listener)
    return this
  }

  once(event, listener) {
    checkListener('once', event, listener, this.once)
    const wrapper = (payload) => {
      this.#unlisten(event, wrapper)
      return listener.call(this, payload)
    }
    // By this `off` knows whose wrapper it is.
    wrapper.listener = listener
    this.#listen(event, wrapper)
    return this
  }

  off(event, listener) {
    checkListener('off', event, listener, this.off)
    this.#unlisten(event, listener)
    return this
  }

  async close() {
    if (this.#closed) return
    this.#lastMetrics = Object.freeze({ ...this.metrics(), tokenRemainingMs: 0 })
    this.#closed = true
    this.#forgetToken()
    this.#events.removeAllListeners()
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

  [inspect.custom](depth, options) {
    if (depth < 0) return '[TokenManager]'
    return `TokenManager ${inspect(this.toJSON(), options)}`
  }

  /** Called by the environment: an event of the native manager. The first handle publishes it to the channel. */
  _emit({ event, seq, at, payload }, isFirst, onThrown) {
    if (this.#closed) return
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

  /**
   * Called by the environment: the native part asks for the JavaScript sources. It is told of each
   * answer as it comes, so that a source that is silent holds up none of the others.
   */
  _readSources() {
    for (const [index, source] of this.#sources.entries()) {
      if (source.sync) this.#readings[index] = source.read()
      else if (!this.#asked.has(source)) this.#ask(source, index)
    }
    this.#tellReadings()
  }

  async #ask(source, index) {
    this.#asked.add(source)
    const reading = await source.read()
    this.#asked.delete(source)
    this.#readings[index] = reading
    this.#tellReadings()
  }

  #tellReadings() {
    if (!this.#closed && this.#readings.some((reading) => reading !== null)) {
      native.sourcesRead(this.#handle, JSON.stringify(this.#readings))
    }
    // They hold secrets, and are not needed any more.
    if (this.#asked.size === 0) this.#readings.fill(null)
  }

  /** Somebody who listens and keeps no reference still wants to hear: the manager stays. */
  #listen(event, listener) {
    if (this.#closed) return
    this.#events.on(event, listener)
    this.#environment.keep(this)
  }

  #unlisten(event, listener) {
    this.#events.off(event, listener)
    if (this.#events.eventNames().length === 0) this.#environment.unkeep(this)
  }

  #isUsableByTheClock() {
    return this.#word[0] === this.#strictStamp && this.#clock.now() < this.#usableUntil
  }

  #getTokenSlowly(options) {
    if (options === undefined && this.#isUsableByTheClock()) return this.#promise
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
    const stamp = this.#word[0]
    const held = native.take(this.#handle)
    if (!held) return undefined
    if (stamp !== 0) {
      if (held.token !== this.#token) {
        this.#token = held.token
        this.#promise = Promise.resolve(held.token)
      }
      this.#usableUntil = held.usableUntil
      if (this.#strict) this.#strictStamp = stamp
      else this.#stamp = stamp
    }
    return held.token
  }

  #forgetToken() {
    this.#stamp = NOTHING_CACHED
    this.#strictStamp = NOTHING_CACHED
    this.#token = undefined
    this.#promise = undefined
  }

  /** Waits in the native part; each call has its own place there, so that one's abort is nobody else's. */
  #wait({ minValidityMs, signal, forReadiness = false, below }) {
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

  /** What the native part tells, or what there is to tell of a closed manager. */
  #snapshot(kind) {
    const snapshot = this.#closed ? null : JSON.parse(native[kind](this.#handle))
    if (snapshot !== null) return snapshot
    const reasons = ['This TokenManager is closed.']
    return {
      status: { token: null, credentials: [], refreshing: false, nextRefreshAt: null, lastError: null },
      health: { ready: false, degraded: true, reasons, tokenRunwayMs: 0 },
      metrics: this.#lastMetrics,
    }[kind]
  }

  #localTimeZone() {
    return (this.#timeZone ??= systemTimeZone(native.isTimeZone))
  }

  /** Turns every `at` and `…At` into a Date, with its local text beside it. */
  #withInstants(object) {
    const result = {}
    for (const [key, value] of Object.entries(object)) {
      const isInstant = key === 'at' || key.endsWith('At')
      result[key] = isInstant && value !== null ? new Date(value) : value
      if (isInstant)
        result[`${key}Local`] = value === null ? null : native.formatLocal(value, this.#localTimeZone())
    }
    return result
  }
}

function closedError(site) {
  const message = 'This TokenManager was closed. Make a new one to get tokens again.'
  return fromNative({ code: ClosedError.code, message }, site)
}

module.exports = { TokenManager }
