'use strict'

/**
 * The sources of one manager that only JavaScript can read. `tell` gets the readings as JSON, `null`
 * where an answer is still to come.
 */
class Readings {
  #sources
  #tell
  /** Asynchronous sources that have not answered yet, so that none is asked twice at a time. */
  #asked = new Set()
  /** What the sources answered in the reading under way. */
  #readings

  constructor(sources, tell) {
    this.#sources = sources
    this.#tell = tell
    this.#readings = sources.map(() => null)
  }

  /**
   * Each answer is told as it comes, so that a source that is silent holds up none of the others. With
   * `variablesOnly` no function is called.
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
    // They hold secrets, and are not needed any more.
    if (this.#asked.size === 0) this.#readings.fill(null)
  }
}

module.exports = { Readings }
