'use strict'

const { InvalidArgumentError, InvalidOptionError, NativeUnavailableError } = require('../errors')
const { Problems } = require('../options/problems')
const { Clocks } = require('./clocks')
const native = require('./load')
const { fromNative } = require('./reports')

const WORDS_PER_BLOCK = 1024

/**
 * The connection between this JavaScript environment and the native part. It exists while at least
 * one manager is open.
 *
 * The native part stores the stamp of each manager's token in a word of shared memory, and sends
 * messages, in order, through one callback. Only calls that wait keep a manager or the process
 * alive.
 */
class Environment {
  /**
   * The current environment. The first manager creates it, and it is detached when the last one
   * closes.
   */
  static #current

  static current() {
    Environment.#current ??= new Environment()
    return Environment.#current
  }

  #attachment
  #clocks = new Clocks()
  /** The clocks of the handles that have one. */
  #clockOf = new Map()
  #blocks = []
  /** How many words of the last block have been used so far. */
  #taken = WORDS_PER_BLOCK
  /** The word of each handle. */
  #wordOf = new Map()
  /** Words that can be used again. */
  #free = []
  /**
   * The managers and signers by handle. The references are weak: when nothing else refers to one,
   * it is closed.
   */
  #managers = new Map()
  /** Managers and signers with a listener. */
  #kept = new Set()
  /** Calls that wait for a token, by their number in the native part. */
  #waiting = new Map()
  /** Calls that wait for anything else, by their number in the native part. */
  #asking = new Map()
  #lost = new FinalizationRegistry((handle) => this.close(handle))

  constructor() {
    this.#attachment = native.attach((message) => this.#receive(JSON.parse(message)))
  }

  /** Opens a handle for a manager. Throws if the native part refuses the options. */
  open(manager, options, clock, below) {
    const word = this.#takeWord()
    const settings = clock === undefined ? options : { ...options, clock: this.#clocks.take(clock) }
    const opened = JSON.parse(native.open(this.#attachment, JSON.stringify(settings), word.block, word.index))
    if (opened?.handle === undefined) {
      this.#free.push(word)
      this.#clocks.letGo(settings.clock)
      this.#letGoIfIdle()
      throwFailure(opened?.error, below)
    }
    const { handle } = opened
    this.#wordOf.set(handle, word)
    this.#opened(handle, manager, settings.clock)
    return { handle, word: word.words.subarray(word.index, word.index + 1) }
  }

  /** Opens a webhook signer. Throws if the native part refuses the options. */
  openSigner(signer, options, clock, below) {
    const isLent = options.keys.kind === 'lent'
    const settings = clock === undefined || isLent ? options : { ...options, clock: this.#clocks.take(clock) }
    const opened = JSON.parse(native.openSigner(this.#attachment, JSON.stringify(settings)))
    if (opened?.signer === undefined) {
      this.#clocks.letGo(settings.clock)
      this.#letGoIfIdle()
      throwFailure(opened?.error, below)
    }
    this.#opened(opened.signer.handle, signer, settings.clock)
    return opened.signer
  }

  #opened(handle, owner, clock) {
    if (clock !== undefined) this.#clockOf.set(handle, clock)
    this.#managers.set(handle, new WeakRef(owner))
    this.#lost.register(owner, handle, owner)
  }

  /** Closes a handle. The manager rejects the calls that wait on it. */
  close(handle) {
    const manager = this.#managers.get(handle)?.deref()
    if (!this.#managers.delete(handle)) return
    if (manager) this.#lost.unregister(manager)
    this.#kept.delete(manager)
    native.close(handle)
    this.#clocks.letGo(this.#clockOf.get(handle))
    this.#clockOf.delete(handle)
    const word = this.#wordOf.get(handle)
    if (word !== undefined) this.#free.push(word)
    this.#wordOf.delete(handle)
    this.#letGoIfIdle()
  }

  /** Keeps a manager alive, even if nothing else refers to it, until `unkeep` or `close`. */
  keep(manager) {
    this.#kept.add(manager)
  }

  unkeep(manager) {
    this.#kept.delete(manager)
  }

  /**
   * Makes a call wait for a token, and keeps the process alive meanwhile. Returns a function that
   * ends the wait.
   */
  wait(handle, { minValidityMs, forReadiness, timeoutMs }, settle) {
    const waiter = native.wait(handle, minValidityMs, forReadiness, timeoutMs)
    this.#remember(this.#waiting, waiter, settle)
    return () => {
      if (this.#forget(this.#waiting, waiter)) native.cancel(handle, waiter)
    }
  }

  /** Like `wait`, for a signer's first key. */
  waitForKey(handle, settle) {
    const waiter = native.waitForKey(handle)
    this.#remember(this.#waiting, waiter, settle)
    return () => {
      if (this.#forget(this.#waiting, waiter)) native.cancelWaitForKey(handle, waiter)
    }
  }

  /**
   * Like `wait`, for anything else. `ask` starts it and returns the number that its result will
   * have.
   */
  ask(handle, ask, settle) {
    const caller = ask()
    // There will be no result.
    if (caller === null) throw new InvalidArgumentError('The native part does not take this call.')
    this.#remember(this.#asking, caller, settle)
    return () => {
      if (this.#forget(this.#asking, caller)) native.leave(handle, caller)
    }
  }

  #remember(calls, number, settle) {
    if (this.#waiting.size + this.#asking.size === 0) native.hold(this.#attachment)
    calls.set(number, settle)
  }

  #forget(calls, number) {
    const settle = calls.get(number)
    if (calls.delete(number) && this.#waiting.size + this.#asking.size === 0) {
      native.release(this.#attachment)
    }
    return settle
  }

  #receive(message) {
    const manager = this.#managers.get(message.handle)?.deref()
    switch (message.type) {
      case 'settled':
        return this.#forget(this.#waiting, message.waiter)?.(message.error)
      case 'answered':
        return this.#forget(this.#asking, message.caller)?.(message)
      case 'audience':
        return message.handles.forEach((handle) => this.#answerAudience(handle))
      case 'read':
        return manager?._readSources(message)
      case 'persist':
        return manager?._persist(message)
      case 'abort-persist':
        return manager?._abortPersist(message)
      case 'environment':
        return manager?._writeVariables(message)
      case 'stale-variables':
        return manager?._warnOfVariables(message)
      default:
        return this.#tell(message)
    }
  }

  /**
   * The native part asks whether anybody listens before it names credentials in events, which costs
   * time.
   */
  #answerAudience(handle) {
    if (this.#managers.get(handle)?.deref()?._isListenedTo()) native.listen(handle)
    else native.ignore(handle)
  }

  /** Passes an event on to all managers that it concerns. */
  #tell(message) {
    const managers = message.handles.map((handle) => this.#managers.get(handle)?.deref()).filter(Boolean)
    // A listener that throws must not keep the event from the others.
    const thrown = []
    for (const [position, manager] of managers.entries()) {
      manager._emit(message, position === 0, (error) => thrown.push(error))
    }
    if (thrown.length === 1) throw thrown[0]
    if (thrown.length > 1) throw new AggregateError(thrown, `${thrown.length} listeners threw`)
  }

  /** Returns a word that no handle uses: `{ block, words, index }`. */
  #takeWord() {
    if (this.#free.length > 0) return this.#free.pop()
    if (this.#taken === WORDS_PER_BLOCK) {
      const words = new Int32Array(new SharedArrayBuffer(WORDS_PER_BLOCK * Int32Array.BYTES_PER_ELEMENT))
      this.#blocks.push({ block: native.attachBlock(this.#attachment, words), words })
      this.#taken = 0
    }
    const word = { ...this.#blocks.at(-1), index: this.#taken }
    this.#taken += 1
    return word
  }

  #letGoIfIdle() {
    if (this.#managers.size > 0) return
    native.detach(this.#attachment)
    if (Environment.#current === this) Environment.#current = undefined
  }
}

/** Throws an error of the native part in the same form as the facade's own errors. */
function throwFailure(error, below) {
  if (error?.code === InvalidOptionError.code) {
    const problems = new Problems()
    problems.add(error.option, error.message)
    problems.throwIfAny(below)
  }
  throw fromNative(error ?? { code: NativeUnavailableError.code, message: 'The native part failed.' }, below)
}

module.exports = { Environment }
