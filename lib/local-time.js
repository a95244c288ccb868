'use strict'

const native = require('./native/load')
const { systemTimeZone } = require('./options/time-zone')

/** The members that are instants, for each kind of object from the native part. */
const INSTANTS = {
  credential: ['expiresAt'],
  error: ['safeUntil'],
  key: ['signsFrom', 'signsUntil', 'verifiesUntil'],
  lastError: ['at'],
  preparation: ['safeUntil'],
  problem: ['since'],
  refresh: ['nextRefreshAt'],
  rotation: ['retireNotBefore', 'safeToRevokeAt'],
  source: ['since'],
  token: ['issuedAt', 'expiresAt'],
  waitingFor: ['since'],
}

/** The members of each event that are instants, besides `at`. */
const EVENT_INSTANTS = {
  'credential-expiring': ['expiresAt'],
  'refresh-failed': ['nextAttemptAt'],
  rotation: INSTANTS.rotation,
  token: ['issuedAt', 'expiresAt', 'refreshAt'],
}

/** Encloses the name of an instant in a message of the native part. It occurs nowhere else. */
const MARK = '\u0001'

/** The time zone of one manager. Shows an instant as a Date with its local text beside it. */
class LocalTime {
  #zone

  /** Default: the system's time zone, which is looked up when it is first needed. */
  constructor(zone) {
    this.#zone = zone
  }

  get zone() {
    return (this.#zone ??= systemTimeZone(native.isTimeZone))
  }

  /**
   * Returns a copy of an object with its instants as Dates and local texts. `kind` is the object's.
   */
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
