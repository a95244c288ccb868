'use strict'

/** A signature that was verified. `index.d.ts` documents every member. */
class Verification {
  #id
  #body
  #idIn

  /**
   * `id` is the signed id of a header. Without one, `idIn` names the members of the body that lead
   * to it, which is parsed when somebody asks.
   */
  constructor({ key, version, timestamp, id, body, idIn }) {
    this.key = key
    this.version = version
    this.timestamp = timestamp
    this.#id = id
    this.#body = body
    this.#idIn = idIn
  }

  get id() {
    if (this.#idIn !== undefined) {
      this.#id = idInBody(this.#body, this.#idIn)
      this.#idIn = undefined
      this.#body = undefined
    }
    return this.#id
  }

  toJSON() {
    return { key: this.key, version: this.version, timestamp: this.timestamp, id: this.id }
  }
}

function idInBody(body, path) {
  let value
  try {
    value = JSON.parse(typeof body === 'string' ? body : new globalThis.TextDecoder().decode(body))
  } catch {
    return undefined
  }
  for (const member of path) value = value?.[member]
  return typeof value === 'string' && value !== '' ? value : undefined
}

module.exports = { Verification }
