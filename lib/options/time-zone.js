'use strict'

const { textOf } = require('./parsers')
const { closest, describeName } = require('./values')

function parseTimeZone(value, place, isTimeZone) {
  if (value === undefined) return undefined
  const zone = textOf(value, place, { what: "the name of an IANA time zone, such as 'America/Sao_Paulo'" })
  if (zone === undefined || isTimeZone(zone)) return zone
  const likely = closest(zone, Intl.supportedValuesOf('timeZone'))
  const hint = likely === undefined ? '' : ` Did you mean '${likely}'?`
  return place.fail(
    `takes the name of an IANA time zone, such as 'America/Sao_Paulo', got ${describeName(zone)}.${hint}`,
  )
}

/** Returns the system's time zone. Call it only when needed: Intl takes 10 ms and 8 MB for it. */
function systemTimeZone(isTimeZone) {
  const system = Intl.DateTimeFormat().resolvedOptions().timeZone
  return typeof system === 'string' && isTimeZone(system) ? system : 'UTC'
}

module.exports = { parseTimeZone, systemTimeZone }
