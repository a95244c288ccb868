'use strict'

const { inspect } = require('node:util')
const { Calls, rejecting } = require('./calls')
const { Listeners } = require('./listeners')
const { LocalTime } = require('./local-time')
const { Environment } = require('./native/environment')
const native = require('./native/load')
const { fromNative } = require('./native/reports')
const { checkListener, checkOptions, checkToken, fail } = require('./options/arguments')
const { parseOptions } = require('./options/manager')
const { callPersist, staleVariables, writeVariables } = require('./options/persist')
const { Readings } = require('./readings')
const { Rotations } = require('./rotation')
const { LEND } = require('./options/signer')
const { Snapshots } = require('./snapshots')

/** No word ever has this value. */
const NOTHING_CACHED = -1

/** A token that is always there. `index.d.ts` documents every member. */
class TokenManager {
  // The hot path reads these three members and nothing else. Each further check measurably slows an
  // `await`.
  /** A view of this manager's word only. The native part stores the stamp of the token in it. */
  #word
  #stamp = NOTHING_CACHED
  #promise

  /** Used instead of `#stamp` with `strict`, where a hit also checks the clock. */
  #strictStamp = NOTHING_CACHED
  #usableUntil
  #token
  #strict
  #clock
  #name
  #local
  #readings
  /** The user's `persist` functions. */
  #persistFunctions
  /** The `AbortController` of each pending call of them, by the number of the write. */
  #persisting = new Map()
  /** The environment variables of each entry, and the file that takes precedence over them. */
  #variables
  #environment
  #handle
  #snapshots
  #rotations
  #listeners
  #closed = false
  #calls = new Calls()

  constructor(options) {
    const parsed = parseOptions(options, {
      isTimeZone: native.isTimeZone,
      genesysHost: native.genesysHost,
      below: TokenManager,
    })
    const { name, strict, clock } = parsed
    this.#name = name
    this.#strict = strict
    this.#clock = clock ?? Date
    this.#local = new LocalTime(parsed.timeZone)
    this.#readings = new Readings(parsed.sources, (readings) => {
      if (!this.#closed) native.sourcesRead(this.#handle, readings)
    })
    this.#persistFunctions = parsed.persistFunctions
    this.#variables = parsed.variables
    this.#environment = Environment.current()
    this.#listeners = new Listeners(this, this.#environment)
    const { handle, word } = this.#environment.open(this, parsed.native, clock, TokenManager)
    this.#handle = handle
    this.#word = word
    if (this.#listeners.areThere()) native.listen(handle)
    this.#snapshots = new Snapshots(handle, name, this.#local)
    this.#rotations = new Rotations({
      handle,
      call: (...args) => this.#ask(...args),
      local: this.#local,
      clientAuth: parsed.clientAuth,
    })
  }

  getToken(options) {
    if (this.#word[0] === this.#stamp && options === undefined) return this.#promise
    return this.#getTokenSlowly(options)
  }

  peek() {
    if (this.#word[0] === this.#stamp || this.#isUsableByTheClock()) return this.#token
    return this.#closed ? undefined : this.#take()
  }

  ready(options) {
    return rejecting(() => {
      const { signal, timeoutMs } = checkOptions('ready', options, ['signal', 'timeoutMs'], this.ready)
      // With a signal and no `timeoutMs`, only the signal ends the wait.
      const patience = timeoutMs ?? (signal === undefined ? undefined : Infinity)
      return this.#wait({ signal, forReadiness: true, timeoutMs: patience, below: this.ready })
    })
  }

  invalidate(token) {
    checkToken(token, this.invalidate)
    return !this.#closed && native.invalidate(this.#handle, token)
  }

  reload() {
    if (!this.#closed) native.reload(this.#handle)
  }

  rotate(options) {
    return this.#rotations.rotate(options, this.rotate)
  }

  rotation() {
    return this.#closed ? undefined : this.#rotations.latest()
  }

  prepareRotation(options) {
    return this.#rotations.prepare(options, this.prepareRotation)
  }

  authHeaders(body, options) {
    return rejecting(() => {
      const known = ['signer', 'id', 'timestamp', 'signal']
      const { signer, signal, ...message } = checkOptions('authHeaders', options, known, this.authHeaders)
      if (signer === undefined) fail('authHeaders(body, { signer }) needs a WebhookSigner.', this.authHeaders)
      signer._check(body, message, this.authHeaders)
      // Signed only now, so that the timestamp does not age while the call waits for the token.
      return this.getToken(signal && { signal }).then((token) => {
        return { Authorization: `Bearer ${token}`, ...signer.sign(body, message) }
      })
    })
  }

  /**
   * Called by a signer: returns the handle whose credentials are its keys, and that handle's clock.
   */
  [LEND]() {
    return { handle: this.#handle, clock: this.#clock === Date ? undefined : this.#clock }
  }

  status() {
    return this.#snapshots.status()
  }

  health() {
    return this.#snapshots.health()
  }

  metrics() {
    return this.#snapshots.metrics()
  }

  on(event, listener) {
    checkListener('on', event, listener, this.on)
    this.#listen('on', event, listener)
    return this
  }

  once(event, listener) {
    checkListener('once', event, listener, this.once)
    this.#listen('once', event, listener)
    return this
  }

  off(event, listener) {
    checkListener('off', event, listener, this.off)
    this.#listeners.off(event, listener)
    return this
  }

  async close() {
    if (this.#closed) return
    this.#snapshots.close()
    this.#closed = true
    this.#forgetToken()
    this.#listeners.clear()
    this.#environment.close(this.#handle)
    this.#calls.close()
  }

  // Node 20 has the symbol; older TypeScript targets look it up under this name.
  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.close()
  }

  toJSON() {
    return { name: this.#name, closed: this.#closed, ...this.health() }
  }

  [inspect.custom](depth, options) {
    if (depth < 0) return '[TokenManager]'
    return `TokenManager ${inspect(this.toJSON(), options)}`
  }

  #listen(method, event, listener) {
    if (this.#closed) return
    this.#listeners[method](event, listener)
    native.listen(this.#handle)
  }

  /** Called by the environment: returns whether anybody listens to events. */
  _isListenedTo() {
    return !this.#closed && this.#listeners.areThere()
  }

  /**
   * Called by the environment for an event of the native manager. Only the first manager publishes
   * it on the channel.
   */
  _emit({ event, seq, at, payload }, isFirst, onThrown) {
    if (this.#closed || !this.#listeners.areInterested(event, isFirst)) return
    const { error, ...rest } = payload
    const message = { name: this.#name, seq, ...this.#local.showEvent(event, { at, ...rest }) }
    if (error) message.error = fromNative(error)
    this.#listeners.tell(event, message, isFirst, onThrown)
  }

  /** Called by the environment when the native part asks for the sources that JavaScript reads. */
  _readSources({ variablesOnly }) {
    this.#readings.read(variablesOnly)
  }

  /** Called by the environment when a `persist` function has to store a promoted credential. */
  async _persist({ index, write, credential }) {
    const controller = new AbortController()
    this.#persisting.set(write, controller)
    const { outcome, message } = await callPersist(
      this.#persistFunctions[index],
      credential,
      controller.signal,
    )
    this.#persisting.delete(write)
    if (!this.#closed) native.persisted(this.#handle, write, outcome, message)
  }

  /** Called by the environment when a `persist` function takes too long. It may still succeed. */
  _abortPersist({ write }) {
    this.#persisting.get(write)?.abort(new DOMException('persistTimeoutMs has passed.', 'TimeoutError'))
  }

  /** Called by the environment when a credential from environment variables was replaced. */
  _writeVariables({ entry, clientId, clientSecret }) {
    writeVariables(this.#variables[entry], { clientId, clientSecret }, () => process.env)
  }

  /**
   * Called by the environment when the variables differ from the file that takes precedence over
   * them, and the file's credential was accepted.
   */
  _warnOfVariables({ entry }) {
    const message = staleVariables(entry, this.#variables[entry])
    process.emitWarning(message, { type: 'OAuthRotorWarning', code: 'OAUTH_ROTOR_STALE_VARIABLE' })
  }

  #isUsableByTheClock() {
    return this.#word[0] === this.#strictStamp && this.#clock.now() < this.#usableUntil
  }

  #getTokenSlowly(options) {
    if (options === undefined && this.#isUsableByTheClock()) return this.#promise
    return rejecting(() => {
      const known = ['minValidityMs', 'signal']
      const { minValidityMs = 0, signal } = checkOptions('getToken', options, known, this.getToken)
      if (minValidityMs === 0 && !signal?.aborted && !this.#closed) {
        const token = this.#take()
        if (token !== undefined) return this.#token === token ? this.#promise : Promise.resolve(token)
      }
      return this.#wait({ minValidityMs, signal, below: this.getToken })
    })
  }

  /** Returns the held token and caches it for the hot path. */
  #take() {
    // Read before the token: if the token changes in between, that costs one more miss, but no
    // token is cached too long.
    const stamp = this.#word[0]
    const held = native.take(this.#handle)
    if (!held) return undefined
    if (stamp !== 0) {
      if (held.token !== this.#token) {
        this.#token = held.token
        this.#promise = Promise.resolve(held.token)
      }
      this.#usableUntil = held.usableUntil
      if (this.#strict) this.#strictStamp = stamp
      else this.#stamp = stamp
    }
    return held.token
  }

  #forgetToken() {
    this.#stamp = NOTHING_CACHED
    this.#strictStamp = NOTHING_CACHED
    this.#token = undefined
    this.#promise = undefined
  }

  /** Waits for a token in the native part, which registers each call separately. */
  #wait({ minValidityMs = 0, signal, forReadiness = false, timeoutMs, below }) {
    return this.#calls.wait(signal, below, (call) => {
      const settle = (error) => {
        if (error) return call.reject(error)
        if (forReadiness) return call.resolve()
        const token = this.#take()
        // The token expired or was dropped between the native thread's message and this turn of the
        // event loop.
        if (token === undefined) return wait()
        call.resolve(token)
      }
      const wait = () => {
        const wanted = { minValidityMs, forReadiness, timeoutMs }
        call.stop = this.#environment.wait(this.#handle, wanted, settle)
      }
      wait()
    })
  }

  /** Waits for the result of anything else that `ask` starts. `made` converts it for the caller. */
  #ask(signal, below, ask, made) {
    const answered = this.#calls.wait(signal, below, (call) => {
      call.stop = this.#environment.ask(this.#handle, ask, ({ error, ...answer }) => {
        if (error) call.reject(this.#local.show('error', error))
        else call.resolve(answer)
      })
    })
    return answered.then(made)
  }
}

module.exports = { TokenManager }
