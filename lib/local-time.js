'use strict'

const native = require('./native/load')
const { systemTimeZone } = require('./options/time-zone')

/** The members that are instants, of each kind of object that the native part describes. */
const INSTANTS = {
  credential: ['expiresAt'],
  error: ['safeUntil'],
  lastError: ['at'],
  preparation: ['safeUntil'],
  problem: ['since'],
  refresh: ['nextRefreshAt'],
  rotation: ['retireNotBefore', 'safeToRevokeAt'],
  source: ['since'],
  token: ['issuedAt', 'expiresAt'],
  waitingFor: ['since'],
}

/** Those of each event, besides `at`. */
const EVENT_INSTANTS = {
  'credential-expiring': ['expiresAt'],
  'refresh-failed': ['nextAttemptAt'],
  rotation: INSTANTS.rotation,
  token: ['issuedAt', 'expiresAt', 'refreshAt'],
}

/** Stands around the name of an instant in a message of the native part. No other text has this character. */
const MARK = '\u0001'

/** The time zone of one manager, and instants as it shows them: a Date, with its local text beside it. */
class LocalTime {
  #zone

  /** Without a zone it is the system's, which is asked for when it is needed first. */
  constructor(zone) {
    this.#zone = zone
  }

  get zone() {
    return (this.#zone ??= systemTimeZone(native.isTimeZone))
  }

  /** Shows the instants of an object of a kind. */
  show(kind, object) {
    return this.#withInstants(object, INSTANTS[kind])
  }

  showEvent(event, payload) {
    return this.#withInstants(payload, ['at', ...(EVENT_INSTANTS[event] ?? [])])
  }

  showRotation(rotation) {
    const waitingFor = rotation.waitingFor.map((item) => this.show('waitingFor', item))
    return { ...this.show('rotation', rotation), waitingFor }
  }

  #withInstants(object, names) {
    const result = {}
    for (const [key, value] of Object.entries(object)) {
      if (!names.includes(key)) {
        result[key] = value
        continue
      }
      result[key] = value === null ? null : new Date(value)
      result[`${key}Local`] = value === null ? null : native.formatLocal(value, this.zone)
    }
    if (typeof result.message === 'string') {
      const parts = result.message.split(MARK)
      result.message = parts.map((part, index) => (index % 2 === 1 ? result[`${part}Local`] : part)).join('')
    }
    return result
  }
}

module.exports = { LocalTime }
