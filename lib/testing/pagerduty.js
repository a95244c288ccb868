'use strict'

const { randomBytes } = require('node:crypto')

const { Alerts } = require('./alerts')
const { HttpServer } = require('./http-server')
const { checkKnobs, parseOptions } = require('./knobs')
const { outageAnswer } = require('./outage')
const { alertErrors, changeErrors, isBlank, readEvent } = require('./pagerduty-events')
const { KNOBS } = require('./pagerduty-knobs')
const { SlidingWindow } = require('./sliding-window')
const { Time } = require('./time')

/** The Events API v2 of PagerDuty. `index.d.ts` documents every member. */
class PagerDuty extends HttpServer {
  requests = []
  changes = []
  #alerts = new Alerts()
  alerts = this.#alerts.list
  #time
  #knobs
  /** The requests of each routing key that passed the rate limit, alerts and changes together. */
  #windows = new Map()

  constructor(options) {
    const { clock, knobs } = parseOptions(KNOBS, options, 'fakePagerDuty(options)')
    const time = new Time(clock)
    super(time, knobs)
    this.#time = time
    this.#knobs = knobs
  }

  set(knobs) {
    Object.assign(this.#knobs, checkKnobs(KNOBS, knobs, 'set(knobs)'))
  }

  _serve({ at, method, path, headers, body, status }, signal) {
    const entry = { at, method, path, headers, body, event: readEvent(body), status }
    this.requests.push(entry)
    return this._answer(entry, signal, () => this.#judge(entry))
  }

  #judge(request) {
    const { outage, dropResponse } = this.#knobs
    const answer = outageAnswer(outage, unavailable) ?? this.#take(request)
    return dropResponse ? { destroy: true } : answer
  }

  #take({ method, path, body, event }) {
    const isChange = path === '/v2/change/enqueue'
    if (path !== '/v2/enqueue' && !isChange) return { status: 404, body: {} }
    if (method !== 'POST') return { status: 405, headers: { Allow: 'POST' }, body: {} }
    const { maxBytes, tooLargeStatus, routingKeys, rateLimit } = this.#knobs
    if (Buffer.byteLength(body) > maxBytes) {
      return invalid([`Event is too large (maximum is ${maxBytes} bytes)`], tooLargeStatus)
    }
    if (event === undefined) return unrecognized()
    const errors = (isChange ? changeErrors : alertErrors)(event, routingKeys)
    if (errors.length > 0) return invalid(errors)
    if (!this.#windowOf(event.routing_key).passes(rateLimit, this.#time.now())) return throttled()
    return isChange ? this.#change(event) : this.#alert(event)
  }

  #alert({ routing_key: routingKey, event_action: action, dedup_key: given, payload }) {
    const dedupKey = isBlank(given) ? randomBytes(16).toString('hex') : given
    this.#alerts.apply({ routingKey, dedupKey, action, payload }, this.#time.now())
    return { status: 202, body: { status: 'success', message: 'Event processed', dedup_key: dedupKey } }
  }

  #change({ routing_key: routingKey, payload }) {
    this.changes.push({ at: this.#time.now(), routingKey, payload })
    return { status: 202, body: { status: 'success', message: 'Change event processed' } }
  }

  #windowOf(routingKey) {
    const window = this.#windows.get(routingKey) ?? new SlidingWindow()
    this.#windows.set(routingKey, window)
    return window
  }
}

function invalid(errors, status = 400) {
  return { status, body: { status: 'invalid event', message: 'Event object is invalid', errors } }
}

function unrecognized() {
  const message = 'Event object format is unrecognized'
  return { status: 400, body: { status: 'Unrecognized object', message, errors: ['JSON parse error'] } }
}

function throttled() {
  // The two spaces are PagerDuty's.
  const message = 'Requests for this service are arriving too quickly.  Please retry later.'
  return { status: 429, body: { status: 'throttle exceeded', message } }
}

/** PagerDuty says little about an outage. */
function unavailable(status) {
  if (status === 429) return throttled().body
  return { status: 'error', message: 'The service is not available.' }
}

/** Starts a fake PagerDuty on a free port of this machine. */
async function fakePagerDuty(options) {
  return new PagerDuty(options)._listen()
}

module.exports = { fakePagerDuty }
