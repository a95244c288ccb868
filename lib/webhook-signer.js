'use strict'

const { inspect } = require('node:util')
const { Calls, rejecting } = require('./calls')
const { ClosedError } = require('./errors')
const { Listeners } = require('./listeners')
const { LocalTime } = require('./local-time')
const { Environment } = require('./native/environment')
const native = require('./native/load')
const { KEY_EVENTS, checkListener, checkOptions } = require('./options/arguments')
const { parseSignerOptions } = require('./options/signer')
const { Readings } = require('./readings')
const { captureFrames } = require('./stacks')
const {
  NOT_BYTES,
  UNFIT_ID,
  bodyParsed,
  flawed,
  isBytes,
  noKey,
  signatureMissing,
} = require('./webhook/flaws')
const { headerOf } = require('./webhook/headers')
const { checkMessage, unfitId } = require('./webhook/outgoing')
const { handleOnce } = require('./webhook/repeats')
const { Verification } = require('./webhook/verification')

const NO_MESSAGE = Object.freeze({ id: undefined, timestamp: undefined })

/**
 * Where a message has what other schemes send in separate headers: the id in the body, the time in
 * the signature header.
 */
const WITHIN = {
  pagerduty: { id: ['event', 'id'] },
  stripe: { id: ['id'], time: /(?:^|,)\s*t=(\d+)/ },
}

/** Signs and verifies webhooks. `index.d.ts` documents every member. */
class WebhookSigner {
  #slot
  #handle
  #clock
  #scheme
  #version
  /** The names of the headers: as sent, and in lower case as received. */
  #sent
  #received
  #signsId
  #within
  #toleranceMs
  /** The names of keys, by number. */
  #names = []
  #local
  #environment
  #listeners
  #readings
  /** The manager whose credentials are the keys. */
  #lender
  #closed = false
  #calls = new Calls()

  constructor(options) {
    const parsed = parseSignerOptions(options, { isTimeZone: native.isTimeZone, below: WebhookSigner })
    const { scheme, toleranceMs } = parsed.native
    this.#scheme = typeof scheme === 'string' ? scheme : 'hmac'
    this.#within = WITHIN[this.#scheme]
    this.#toleranceMs = toleranceMs
    this.#clock = parsed.clock ?? Date
    this.#local = new LocalTime(parsed.timeZone)
    this.#lender = parsed.lender?.tokens
    this.#readings = new Readings(parsed.sources, (readings) => {
      if (!this.#closed) native.keysRead(this.#handle, readings)
    })
    this.#environment = Environment.current()
    this.#listeners = new Listeners(this, this.#environment, KEY_EVENTS)
    const opened = this.#environment.openSigner(this, parsed.native, parsed.clock, WebhookSigner)
    this.#handle = opened.handle
    this.#slot = opened.slot
    this.#version = opened.version
    this.#signsId = opened.signsId
    const { signatureHeader: signature, idHeader: id, timestampHeader: timestamp } = opened
    this.#sent = { signature, id: id ?? undefined, timestamp: timestamp ?? undefined }
    this.#received = {
      signature: signature.toLowerCase(),
      id: opened.signsId ? id?.toLowerCase() : undefined,
      timestamp: timestamp?.toLowerCase(),
    }
  }

  sign(body, options) {
    const now = this.#clock.now()
    const isPlain = options === undefined && !this.#signsId
    const { id, timestamp } = isPlain ? NO_MESSAGE : this.#checkMessage(options, this.sign)
    const value = native.sign(this.#slot, body, now, id, timestamp)
    if (typeof value !== 'string') throw this.#refusal(value, body, this.sign)
    const { signature, id: idHeader, timestamp: timestampHeader } = this.#sent
    // Not set in the literal: V8 has a slow path for computed names there.
    const headers = {}
    headers[signature] = value
    if (id !== undefined && idHeader !== undefined) headers[idHeader] = id
    if (timestampHeader !== undefined)
      headers[timestampHeader] = String(Math.floor((timestamp ?? now) / 1000))
    return headers
  }

  verify(body, headers) {
    const now = this.#clock.now()
    const names = this.#received
    const signature = headerOf(headers, names.signature)
    if (signature === undefined) {
      if (!isBytes(body)) throw bodyParsed('verify', body, this.verify)
      this.#checkOpen(this.verify)
      throw signatureMissing(this.#sent.signature, this.verify)
    }
    const id = names.id === undefined ? undefined : headerOf(headers, names.id)
    const timestamp = names.timestamp === undefined ? undefined : headerOf(headers, names.timestamp)
    const number = native.verify(this.#slot, body, now, signature, id, timestamp)
    if (number < 0) throw this.#flaw(number, body)
    const within = this.#within
    const time = within?.time === undefined ? timestamp : signature
    return new Verification(this.#nameOf(number), this.#version, time, id, body, within)
  }

  handleOnce(result, seen, handler, options) {
    return handleOnce(result, seen, handler, options, this.handleOnce)
  }

  ready(options) {
    return rejecting(() => {
      const { signal } = checkOptions('ready', options, ['signal'], this.ready)
      if (this.#lender !== undefined && !this.#closed) return this.#lender.ready({ signal })
      return this.#calls.wait(signal, this.ready, (call) => {
        call.stop = this.#environment.waitForKey(this.#handle, (error) => {
          if (error) call.reject({ status: 503, ...error })
          else call.resolve()
        })
      })
    })
  }

  status() {
    const { keys, problems } = this.#snapshot()
    return {
      scheme: this.#scheme,
      timeZone: this.#local.zone,
      closed: this.#closed,
      keys: keys.map((key) => this.#local.show('key', key)),
      problems: problems.map((problem) => this.#local.show('problem', problem)),
    }
  }

  health() {
    const { keys, problems } = this.status()
    const signs = keys.some((key) => key.signs)
    const verifies = keys.some((key) => key.verifies)
    const reasons = problems.map(({ message, sinceLocal }) => `${message} Since ${sinceLocal}.`)
    if (!signs && !verifies && problems.length === 0) reasons.push(this.#whyNoKey())
    return { ready: signs || verifies, signs, verifies, degraded: reasons.length > 0, reasons, problems }
  }

  on(event, listener) {
    checkListener('on', event, listener, this.on, KEY_EVENTS)
    if (!this.#closed) this.#listeners.on(event, listener)
    return this
  }

  once(event, listener) {
    checkListener('once', event, listener, this.once, KEY_EVENTS)
    if (!this.#closed) this.#listeners.once(event, listener)
    return this
  }

  off(event, listener) {
    checkListener('off', event, listener, this.off, KEY_EVENTS)
    this.#listeners.off(event, listener)
    return this
  }

  async close() {
    if (this.#closed) return
    this.#closed = true
    this.#listeners.clear()
    this.#environment.close(this.#handle)
    this.#calls.close('WebhookSigner')
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.close()
  }

  toJSON() {
    return { scheme: this.#scheme, closed: this.#closed, ...this.health() }
  }

  [inspect.custom](depth, options) {
    if (depth < 0) return '[WebhookSigner]'
    return `WebhookSigner ${inspect(this.toJSON(), options)}`
  }

  /** Called by a TokenManager before it waits for a token: throws what `sign` would throw. */
  _check(body, options, below) {
    if (!isBytes(body)) throw bodyParsed('authHeaders', body, below)
    this.#checkMessage(options, below)
    this.#checkOpen(below)
  }

  /** Called by the environment for an event of the native signer. */
  _emit({ event, seq, at, payload }, isFirst, onThrown) {
    if (this.#closed || !this.#listeners.areInterested(event, isFirst)) return
    const message = { scheme: this.#scheme, seq, ...this.#local.showEvent(event, { at, ...payload }) }
    this.#listeners.tell(event, message, isFirst, onThrown)
  }

  /** Called by the environment when the native part asks for the sources that JavaScript reads. */
  _readSources({ variablesOnly }) {
    this.#readings.read(variablesOnly)
  }

  #checkMessage(options, below) {
    return checkMessage(options, { signsId: this.#signsId }, below)
  }

  #nameOf(number) {
    return (this.#names[number] ??= native.keyName(this.#slot, number))
  }

  #refusal(number, body, below) {
    this.#checkOpen(below)
    if (number === UNFIT_ID) unfitId(below)
    return number === NOT_BYTES ? bodyParsed('sign', body, below) : noKey(this.#whyNoKey(), below)
  }

  #flaw(number, body) {
    this.#checkOpen(this.verify)
    if (number === NOT_BYTES) return bodyParsed('verify', body, this.verify)
    return flawed(number, {
      headers: this.#sent,
      toleranceMs: this.#toleranceMs,
      mismatchStatus: this.#scheme === 'pagerduty' ? 403 : 401,
      whyNoKey: () => this.#whyNoKey(),
      below: this.verify,
    })
  }

  #checkOpen(below) {
    if (!this.#closed) return
    const error = new ClosedError('This WebhookSigner is closed. Create a new one.')
    captureFrames(error, below)
    throw error
  }

  #whyNoKey() {
    const { keys, problems } = this.#snapshot()
    if (problems.length > 0) return `No key can be used: ${problems[0].message}`
    if (keys.length > 0)
      return 'No key can be used at this time: see signsFrom, signsUntil and verifiesUntil.'
    return this.#lender === undefined
      ? 'No key was read yet: await ready() before the first webhook.'
      : 'The TokenManager has no credential yet, or is closed: await ready() before the first webhook.'
  }

  #snapshot() {
    const snapshot = this.#closed ? null : native.signerStatus(this.#slot, this.#clock.now())
    return snapshot === null ? { keys: [], problems: [] } : JSON.parse(snapshot)
  }
}

module.exports = { WebhookSigner }
