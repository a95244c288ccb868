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

/** What is known of one manager now; each snapshot is the caller's own. No I/O. */
class Snapshots {
  #handle
  #name
  #local
  #isClosed = false
  /** What it counted, for a scrape that comes after its end. */
  #lastMetrics

  constructor(handle, name, local) {
    this.#handle = handle
    this.#name = name
    this.#local = local
  }

  /** The manager is about to be closed. */
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

  /** What the native part tells, or what there is to tell of a closed manager. */
  #read(kind) {
    const snapshot = this.#isClosed ? null : JSON.parse(native[kind](this.#handle))
    if (snapshot !== null) return snapshot
    return kind === 'metrics' ? this.#lastMetrics : CLOSED[kind]()
  }
}

module.exports = { Snapshots }
