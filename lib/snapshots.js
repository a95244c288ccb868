'use strict'

const native = require('./native/load')
const { fromNative } = require('./native/reports')

const CLOSED = {
  status: () => ({
    phase: null,
    generation: null,
    token: null,
    credentials: [],
    sources: [],
    rotation: null,
    refreshing: false,
    nextRefreshAt: null,
    lastError: null,
  }),
  health: () => ({
    live: true,
    ready: false,
    degraded: true,
    problems: [],
    tokenRunwayMs: 0,
  }),
}

/** The current state of one manager. Does no I/O. Each snapshot belongs to its caller. */
class Snapshots {
  #handle
  #name
  #local
  #isClosed = false
  /** The last metrics, for a scrape after the manager was closed. */
  #lastMetrics

  constructor(handle, name, local) {
    this.#handle = handle
    this.#name = name
    this.#local = local
  }

  /** Keeps the last metrics, before the manager is closed. */
  close() {
    this.#lastMetrics = Object.freeze({ ...this.metrics(), tokenRemainingMs: 0 })
    this.#isClosed = true
  }

  status() {
    const { phase, generation, token, credentials, sources, rotation, ...snapshot } = this.#read('status')
    const { refreshing, nextRefreshAt, lastError } = snapshot
    return {
      name: this.#name,
      timeZone: this.#local.zone,
      closed: this.#isClosed,
      phase,
      generation,
      token: token && this.#local.show('token', token),
      credentials: credentials.map(({ credentialId: id, ...credential }) => {
        return { id, ...this.#local.show('credential', credential) }
      }),
      sources: sources.map((source) => this.#local.show('source', source)),
      rotation: rotation && this.#local.showRotation(rotation),
      refreshing,
      ...this.#local.show('refresh', { nextRefreshAt }),
      lastError: lastError && {
        ...this.#local.show('lastError', { at: lastError.at }),
        error: fromNative(lastError.error),
      },
    }
  }

  health() {
    const { live, ready, degraded, problems, tokenRunwayMs } = this.#read('health')
    const told = problems.map((problem) => this.#local.show('problem', problem))
    const reasons = told.map(({ message, affectsTokens, sinceLocal }) => {
      return `${message} ${affectsTokens ? 'Tokens are affected' : 'Tokens are not affected yet'}. Since ${sinceLocal}.`
    })
    if (this.#isClosed) reasons.push('This TokenManager is closed.')
    return { live, ready, degraded, reasons, problems: told, tokenRunwayMs }
  }

  metrics() {
    return this.#read('metrics')
  }

  /** The snapshot of the native part, or that of a closed manager. */
  #read(kind) {
    const snapshot = this.#isClosed ? null : JSON.parse(native[kind](this.#handle))
    if (snapshot !== null) return snapshot
    return kind === 'metrics' ? this.#lastMetrics : CLOSED[kind]()
  }
}

module.exports = { Snapshots }
