'use strict'

const { InvalidArgumentError, InvalidOptionError, NativeUnavailableError } = require('../errors')
const { Problems } = require('../options/problems')
const { Clocks } = require('./clocks')
const native = require('./load')
const { fromNative } = require('./reports')

const WORDS_PER_BLOCK = 1024

/**
 * The tie between this JavaScript environment and the native part, while at least one manager is open.
 *
 * The native part stores the stamp of each manager's token in a word of shared memory and sends
 * messages, in order, through one callback. Nothing here keeps a manager or the process alive,
 * but for calls that wait.
 */
class Environment {
  /** The current one; it is made with the first manager and let go with the last. */
  static #current

  static current() {
    Environment.#current ??= new Environment()
    return Environment.#current
  }

  #attachment
  #clocks = new Clocks()
  /** The clocks of those handles that have one. */
  #clockOf = new Map()
  #blocks = []
  /** How many words of the last block have been in use at any time. */
  #taken = WORDS_PER_BLOCK
  /** Those that have been let go since. */
  #free = []
  /** Managers by handle, weakly: a manager that nobody refers to any more is closed. */
  #managers = new Map()
  /** Those that somebody listens to. */
  #kept = new Set()
  /** Calls that wait for a token, by the number of the waiter. */
  #waiting = new Map()
  /** Calls that wait for anything else, by the number of the caller. */
  #asking = new Map()
  #lost = new FinalizationRegistry(({ handle, slot }) => this.close(handle, slot))

  constructor() {
    this.#attachment = native.attach((message) => this.#receive(JSON.parse(message)))
  }

  /** Opens a handle for a manager; throws what the native part objects to. */
  open(manager, options, clock, below) {
    const slot = this.#takeSlot()
    const settings = clock === undefined ? options : { ...options, clock: this.#clocks.take(clock) }
    const opened = JSON.parse(native.open(this.#attachment, JSON.stringify(settings), slot.block, slot.index))
    if (opened?.handle === undefined) {
      this.#free.push(slot)
      this.#clocks.letGo(settings.clock)
      this.#letGoIfIdle()
      throwFailure(opened?.error, below)
    }
    const { handle } = opened
    if (settings.clock !== undefined) this.#clockOf.set(handle, settings.clock)
    this.#managers.set(handle, new WeakRef(manager))
    this.#lost.register(manager, { handle, slot }, manager)
    return { handle, slot }
  }

  /** Closes a handle; calls that wait on it are refused by their manager. */
  close(handle, slot) {
    const manager = this.#managers.get(handle)?.deref()
    if (!this.#managers.delete(handle)) return
    if (manager) this.#lost.unregister(manager)
    this.#kept.delete(manager)
    native.close(handle)
    this.#clocks.letGo(this.#clockOf.get(handle))
    this.#clockOf.delete(handle)
    this.#free.push(slot)
    this.#letGoIfIdle()
  }

  /** Holds a manager that nobody may refer to, until `unkeep` or its close. */
  keep(manager) {
    this.#kept.add(manager)
  }

  unkeep(manager) {
    this.#kept.delete(manager)
  }

  /** Has a call wait for a token; answers how to stop that. The process stays alive until either. */
  wait(handle, { minValidityMs, forReadiness, timeoutMs }, settle) {
    const waiter = native.wait(handle, minValidityMs, forReadiness, timeoutMs)
    this.#remember(this.#waiting, waiter, settle)
    return () => {
      if (this.#forget(this.#waiting, waiter)) native.cancel(handle, waiter)
    }
  }

  /** The same for whatever `ask` starts, whose answer comes with the number that it returns. */
  ask(handle, ask, settle) {
    const caller = ask()
    // Nobody would ever answer.
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

  /** The native part asks before it names credentials in events, which costs. */
  #answerAudience(handle) {
    if (this.#managers.get(handle)?.deref()?._isListenedTo()) native.listen(handle)
    else native.ignore(handle)
  }

  /** An event, to all managers that it concerns. */
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

  #takeSlot() {
    if (this.#free.length > 0) return this.#free.pop()
    if (this.#taken === WORDS_PER_BLOCK) {
      const words = new Int32Array(new SharedArrayBuffer(WORDS_PER_BLOCK * Int32Array.BYTES_PER_ELEMENT))
      this.#blocks.push({ block: native.attachBlock(this.#attachment, words), words })
      this.#taken = 0
    }
    const slot = { ...this.#blocks.at(-1), index: this.#taken }
    this.#taken += 1
    return slot
  }

  #letGoIfIdle() {
    if (this.#managers.size > 0) return
    native.detach(this.#attachment)
    if (Environment.#current === this) Environment.#current = undefined
  }
}

/** What the native part objects to is told as the facade tells its own findings. */
function throwFailure(error, below) {
  if (error?.code === InvalidOptionError.code) {
    const problems = new Problems()
    problems.add(error.option, error.message)
    problems.throwIfAny(below)
  }
  throw fromNative(error ?? { code: NativeUnavailableError.code, message: 'The native part failed.' }, below)
}

module.exports = { Environment }
