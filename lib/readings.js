'use strict'

/**
 * The sources of one manager that only JavaScript can read. `tell` gets the readings as JSON, with
 * `null` for a source that has not returned yet.
 */
class Readings {
  #sources
  #tell
  /** Asynchronous sources that are being read. None is called again before it has returned. */
  #asked = new Set()
  /** What the sources returned in this reading. */
  #readings

  constructor(sources, tell) {
    this.#sources = sources
    this.#tell = tell
    this.#readings = sources.map(() => null)
  }

  /**
   * Passes on each value as soon as it arrives, so that a slow source does not delay the others.
   * With `variablesOnly`, calls no function.
   */
  read(variablesOnly) {
    for (const [index, source] of this.#sources.entries()) {
      if (source.sync) this.#readings[index] = source.read()
      else if (!variablesOnly && !this.#asked.has(source)) this.#ask(source, index)
    }
    this.#tellAll()
  }

  async #ask(source, index) {
    this.#asked.add(source)
    const reading = await source.read()
    this.#asked.delete(source)
    this.#readings[index] = reading
    this.#tellAll()
  }

  #tellAll() {
    if (this.#readings.some((reading) => reading !== null)) this.#tell(JSON.stringify(this.#readings))
    // The readings hold secrets and are no longer needed.
    if (this.#asked.size === 0) this.#readings.fill(null)
  }
}

module.exports = { Readings }
