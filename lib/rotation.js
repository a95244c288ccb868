'use strict'

const { rejecting } = require('./calls')
const native = require('./native/load')
const { checkOptions, checkUntil } = require('./options/arguments')
const { parseRotate } = require('./options/rotate')

/** The rotations of one manager: starts them, and implements the methods of `Rotation`. */
class Rotations {
  #handle
  #call
  #local
  #clientAuth

  /**
   * `call(signal, below, ask, made)` makes a caller wait. It refers to the manager, so that a
   * rotation in use keeps its manager alive.
   */
  constructor({ handle, call, local, clientAuth }) {
    this.#handle = handle
    this.#call = call
    this.#local = local
    this.#clientAuth = clientAuth
  }

  rotate(options, below) {
    return rejecting(() => {
      const { signal, ...wanted } = parseRotate(options, { clientAuth: this.#clientAuth, below })
      const json = JSON.stringify(wanted)
      return this.#answer(signal, below, () => native.rotate(this.#handle, json))
    })
  }

  prepare(options, below) {
    return rejecting(() => {
      const known = ['minRunwayMs', 'signal']
      const { minRunwayMs = 0, signal } = checkOptions('prepareRotation', options, known, below)
      const ask = () => native.prepareRotation(this.#handle, minRunwayMs)
      return this.#call(signal, below, ask, ({ preparation }) => {
        return new Preparation(this.#local.show('preparation', preparation), this)
      })
    })
  }

  cancelPreparation(below) {
    return rejecting(() => {
      const ask = () => native.cancelPreparation(this.#handle)
      return this.#call(undefined, below, ask, () => undefined)
    })
  }

  /** The latest rotation, or undefined. */
  latest() {
    const snapshot = JSON.parse(native.rotation(this.#handle))
    return snapshot === null ? undefined : this.#made(snapshot)
  }

  until(rotationId, what, options, below) {
    return rejecting(() => {
      checkUntil(what, below)
      const { signal } = checkOptions('until', options, ['signal'], below)
      return this.#answer(signal, below, () => native.awaitRotation(this.#handle, rotationId, what))
    })
  }

  rollBack(rotationId, options, below) {
    return rejecting(() => {
      const { signal } = checkOptions('rollback', options, ['signal'], below)
      return this.#answer(signal, below, () => native.rollBack(this.#handle, rotationId))
    })
  }

  retireNow(rotationId, options, below) {
    return rejecting(() => {
      const { force = false, signal } = checkOptions('retireNow', options, ['force', 'signal'], below)
      return this.#answer(signal, below, () => native.retireNow(this.#handle, rotationId, force))
    })
  }

  #answer(signal, below, ask) {
    return this.#call(signal, below, ask, ({ rotation }) => this.#made(rotation))
  }

  #made(snapshot) {
    return new Rotation(this.#local.showRotation(snapshot), this)
  }
}

/** A rotation as it was when this object was made. `index.d.ts` documents every member. */
class Rotation {
  #rotations

  constructor(snapshot, rotations) {
    this.#rotations = rotations
    Object.assign(this, snapshot)
    Object.freeze(this)
  }

  until(what, options) {
    return this.#rotations.until(this.rotationId, what, options, this.until)
  }

  rollback(options) {
    return this.#rotations.rollBack(this.rotationId, options, this.rollback)
  }

  retireNow(options) {
    return this.#rotations.retireNow(this.rotationId, options, this.retireNow)
  }
}

/** A fleet that is ready for a change at the provider. `index.d.ts` documents every member. */
class Preparation {
  #rotations

  constructor(answer, rotations) {
    this.#rotations = rotations
    Object.assign(this, answer)
    Object.freeze(this)
  }

  cancel() {
    return this.#rotations.cancelPreparation(this.cancel)
  }
}

module.exports = { Rotations }
