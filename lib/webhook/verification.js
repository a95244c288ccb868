'use strict'

/** A signature that was verified. `index.d.ts` documents every member. */
class Verification {
  /** The text that says when it was signed; a Date once `timestamp` has been read. */
  #time
  #id
  #body
  #within

  /**
   * `time` and `id` are the texts of headers. If the time is within the signature header, or the id
   * within the body, `within` says where: by a pattern, and by the members that lead to it. Both
   * are read only when needed.
   */
  constructor(key, version, time, id, body, within) {
    this.key = key
    this.version = version
    this.#time = time
    this.#id = id
    this.#body = body
    this.#within = within
  }

  get timestamp() {
    if (typeof this.#time === 'string') {
      const pattern = this.#within?.time
      const seconds = pattern === undefined ? this.#time : pattern.exec(this.#time)[1]
      this.#time = new Date(Number(seconds) * 1000)
    }
    return this.#time
  }

  get id() {
    const members = this.#within?.id
    if (members !== undefined && this.#body !== undefined) {
      this.#id = idInBody(this.#body, members)
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
