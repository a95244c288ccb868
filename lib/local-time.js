'use strict'

const native = require('./native/load')
const { systemTimeZone } = require('./options/time-zone')

/** Those that do not end in `At`. */
const INSTANTS = ['at', 'since', 'retireNotBefore', 'safeUntil']

/** Around an instant in a sentence of the native part, of which it has the name of the member. No other text has it. */
const MARK = '\u0001'

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

  /** Turns every instant of an object, and of objects in its lists, into a Date, with its local text beside it. */
  withInstants(object) {
    const result = {}
    for (const [key, value] of Object.entries(object)) {
      if (Array.isArray(value)) {
        result[key] = value.map((item) => (typeof item === 'object' ? this.withInstants(item) : item))
        continue
      }
      const isInstant = INSTANTS.includes(key) || key.endsWith('At')
      result[key] = isInstant && value !== null ? new Date(value) : value
      if (isInstant) result[`${key}Local`] = value === null ? null : native.formatLocal(value, this.zone)
    }
    if (typeof result.message === 'string') {
      const parts = result.message.split(MARK)
      result.message = parts.map((part, index) => (index % 2 === 1 ? result[`${part}Local`] : part)).join('')
    }
    return result
  }
}

module.exports = { LocalTime }
