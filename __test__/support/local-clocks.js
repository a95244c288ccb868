'use strict'

const native = require('../../lib/native/load')

const DAY_MS = 86_400_000

/** The local time of an instant by Node's own time zone data: `2026-11-23T16:28:00-03:00`. */
function intlClock(timeZone) {
  const numeric = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }
  const options = { ...numeric, second: '2-digit', hourCycle: 'h23', timeZoneName: 'longOffset', timeZone }
  const format = new Intl.DateTimeFormat('en-CA', options)
  return (millis) => {
    const parts = {}
    for (const { type, value } of format.formatToParts(millis)) parts[type] = value
    const { year, month, day, hour, minute, second, timeZoneName } = parts
    const offset = timeZoneName.slice('GMT'.length) || '+00:00'
    return `${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`
  }
}

/** The same by the native part, which adds the zone's name. */
function nativeClock(timeZone) {
  const suffix = `[${timeZone}]`
  return (millis) => {
    const text = native.formatLocal(millis, timeZone)
    if (!text?.endsWith(suffix)) throw new Error(`${timeZone}: ${text}`)
    return text.slice(0, -suffix.length)
  }
}

const offsetOf = (text) => text.slice('2026-11-23T16:28:00'.length)

/**
 * The first milliseconds with another offset than the one before, found by bisection between the
 * days of a grid.
 */
function transitions(clock, from, to, step = 5 * DAY_MS) {
  const found = []
  const search = (low, high, before, after) => {
    if (before === after) return
    if (high - low === 1) return found.push(high)
    const middle = Math.floor((low + high) / 2)
    const between = offsetOf(clock(middle))
    search(low, middle, before, between)
    search(middle, high, between, after)
  }
  let before = offsetOf(clock(from))
  for (let low = from; low < to; low += step) {
    const high = Math.min(low + step, to)
    const after = offsetOf(clock(high))
    search(low, high, before, after)
    before = after
  }
  return found
}

/**
 * The stretches of time in which two clocks differ, as `[from, to)` in ISO 8601, and how many
 * instants were compared.
 *
 * Between transitions of either clock nothing changes but the time that passes; that is sampled all
 * the same.
 */
function differences(one, other, from, to, grid = 30 * DAY_MS) {
  const cuts = new Set([from, ...transitions(one, from, to), ...transitions(other, from, to), to])
  const edges = [...cuts].sort((a, b) => a - b)
  const found = []
  let compared = 0
  for (let at = 1; at < edges.length; at++) {
    const [start, end] = [edges[at - 1], edges[at]]
    const samples = new Set([start, start + 1, start + 999, start + 1000, end - 1000, end - 1])
    for (let sample = start; sample < end; sample += grid) samples.add(sample)
    const inside = [...samples].filter((sample) => start <= sample && sample < end)
    const equal = inside.filter((sample) => one(sample) === other(sample)).length
    compared += inside.length
    if (equal === inside.length) continue
    if (equal > 0) throw new Error(`They differ only in part from ${new Date(start).toISOString()} on.`)
    const [last] = found.slice(-1)
    const iso = (millis) => new Date(millis).toISOString().replace(':00.000Z', 'Z')
    if (last?.[1] === iso(start)) last[1] = iso(end)
    else found.push([iso(start), iso(end)])
  }
  return { found, compared }
}

module.exports = { intlClock, nativeClock, transitions, differences }
