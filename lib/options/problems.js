'use strict'

const { InvalidOptionError } = require('../errors')
const { captureFrames } = require('../stacks')
const { counted, grouped, isWord } = require('./values')

/** The most problems that are listed. Further ones are only counted. */
const MOST_PROBLEMS = 20

/** Collects the problems of a set of options, so that all are reported at once. */
class Problems {
  #found = new Map()
  /** Further options with a problem, which are only counted. */
  #others = new Set()

  /** Only the first problem of an option is reported. */
  add(option, message) {
    if (this.#found.has(option)) return
    if (this.#found.size < MOST_PROBLEMS) this.#found.set(option, message)
    else this.#others.add(option)
  }

  get count() {
    return this.#found.size + this.#others.size
  }

  /**
   * Returns all problems as one text: a single one after `one`, several below `many(count)`, one
   * per line.
   */
  text(one, many) {
    const lines = [...this.#found].map(([option, message]) => `${option} ${message}`)
    if (this.count === 1) return `${one}${lines[0]}`
    if (this.#others.size > 0) lines.push(`and ${grouped(this.#others.size)} more`)
    return [many(this.count), ...lines.map((line) => `  - ${line}`)].join('\n')
  }

  throwIfAny(below) {
    if (this.count === 0) return
    const problems = [...this.#found].map(([option, message]) => Object.freeze({ option, message }))
    const text = this.text('Invalid option: ', (count) => `${count} invalid options:`)
    const error = new InvalidOptionError(text, {
      option: problems[0].option,
      problems: Object.freeze(problems),
    })
    captureFrames(error, below)
    throw error
  }
}

/** A place in the options. It knows its path and reports its problems. */
class Place {
  #path

  /** `path` is called only when something is reported. */
  constructor(problems, path = () => '') {
    this.problems = problems
    this.#path = path
  }

  get path() {
    return this.#path()
  }

  /** `index` distinguishes keys that are not shown. */
  key(key, index) {
    return new Place(this.problems, () => {
      if (isWord(key)) return this.path === '' ? key : `${this.path}.${key}`
      const which = index === undefined ? 'a key' : `key ${index + 1},`
      return `${this.path}[${which} of ${counted(key.length)}]`
    })
  }

  item(index) {
    return new Place(this.problems, () => `${this.path}[${index}]`)
  }

  /** Always returns undefined, so that a parser can `return place.fail(…)`. */
  fail(message) {
    this.problems.add(this.path === '' ? 'options' : this.path, message)
    return undefined
  }
}

module.exports = { Problems, Place }
