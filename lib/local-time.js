'use strict'

const native = require('./load-native')
const { systemTimeZone } = require('./options')

/** Those that do not end in `At`. */
const INSTANTS = ['at', 'retireNotBefore', 'safeUntil']

/** The time zone of one manager, and instants as it shows them. */
class LocalTime {
  #zone

  /** Without a zone it is the system's, which is asked for when it is needed first. */
  constructor(zone) {
    this.#zone = zone
  }

  get zone() {
    return (this.#zone ??= systemTimeZone(native.isTimeZone))
  }

  /** Turns every instant of an object into a Date, with its local text beside it. */
  withInstants(object) {
    const result = {}
    for (const [key, value] of Object.entries(object)) {
      const isInstant = INSTANTS.includes(key) || (key.endsWith('At') && !Array.isArray(value))
      result[key] = isInstant && value !== null ? new Date(value) : value
      if (isInstant) result[`${key}Local`] = value === null ? null : native.formatLocal(value, this.zone)
    }
    return result
  }
}

module.exports = { LocalTime }
