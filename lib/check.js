'use strict'

const { InvalidOptionError, captureFrames } = require('./errors')

/** No list or object among options is longer; what is longer is not walked. */
const MOST_ITEMS = 1000

/** So many problems are told; of others only how many there are. */
const MOST_PROBLEMS = 20

/** Collects what is wrong with a set of options, so that all of it is told at once. */
class Problems {
  #found = new Map()
  /** Options with a problem that is not told. */
  #others = new Set()

  /** The first problem of an option is the one that is told. */
  add(option, message) {
    if (this.#found.has(option)) return
    if (this.#found.size < MOST_PROBLEMS) this.#found.set(option, message)
    else this.#others.add(option)
  }

  get count() {
    return this.#found.size + this.#others.size
  }

  /** All of them as one text: after `one` where there is one, else in lines after what `many` says of their number. */
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

/** A place in the options: knows its path, and where to report. */
class Place {
  #path

  /** The path is asked for where something is reported, and made only then. */
  constructor(problems, path = () => '') {
    this.problems = problems
    this.#path = path
  }

  get path() {
    return this.#path()
  }

  /** `index` tells keys apart that are not shown. */
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

  /** Always answers undefined, so that a parser can `return place.fail(…)`. */
  fail(message) {
    this.problems.add(this.path === '' ? 'options' : this.path, message)
    return undefined
  }
}

/**
 * Reads an object by a table of parsers, one for each key it may have. A parser is called with the
 * value and its place; it answers what it made of the value, or reports and answers undefined.
 */
function object(value, place, parsers) {
  const copy = copyOfObject(value)
  if (copy === undefined) return place.fail(`takes an object, got ${describe(value)}.`)
  const known = Object.keys(parsers)
  if (hasTooMany(Object.keys(copy), place)) return undefined
  for (const [index, key] of Object.keys(copy).entries()) {
    if (!Object.hasOwn(parsers, key)) place.key(key, index).fail(unknownKey(key, known))
  }
  const parsed = {}
  for (const key of known) parsed[key] = parsers[key](copy[key], place.key(key))
  return parsed
}

function unknownKey(key, known) {
  const likely = closest(key, known)
  return likely === undefined
    ? `is not a known option. Known here: ${known.join(', ')}.`
    : `is not a known option. Did you mean ${likely}?`
}

/**
 * The own enumerable members, or undefined where there is no object or it cannot be read (a revoked
 * proxy).
 */
function copyOfObject(value) {
  if (typeof value !== 'object' || value === null) return undefined
  return attempt(() => (Array.isArray(value) ? undefined : Object.assign(Object.create(null), value)))
}

/** The items of an array, or undefined where there is none or it cannot be read. Of too many only so many as show that. */
function copyOfArray(value) {
  return attempt(() => {
    if (!Array.isArray(value)) return undefined
    return Array.from({ length: Math.min(value.length, MOST_ITEMS + 1) }, (_, index) => value[index])
  })
}

/** Whether a copy has more items than anybody needs, which is reported. */
function hasTooMany(copy, place) {
  if (copy.length <= MOST_ITEMS) return false
  place.fail(`takes at most ${grouped(MOST_ITEMS)} items, got more.`)
  return true
}

/** The items of an option that takes one or a list of them; none after a report that there are too many. */
function oneOrMore(value, place) {
  const list = copyOfArray(value)
  if (list === undefined) return [[value, place]]
  if (hasTooMany(list, place)) return []
  return list.map((item, index) => [item, place.item(index)])
}

function isArray(value) {
  return attempt(() => Array.isArray(value)) === true
}

/** What `read` gives, or undefined where reading somebody's object throws. */
function attempt(read) {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** A parser for a whole number of milliseconds. */
function milliseconds({ min, max, otherwise }) {
  return (value, place) => {
    if (value === undefined) return otherwise
    if (Number.isInteger(value) && value >= min && value <= max) return value + 0
    const range = `a whole number of milliseconds from ${grouped(min)} to ${grouped(max)}`
    const hint = typeof value === 'string' ? ' Convert it with Number(…).' : ''
    return place.fail(`takes ${range}, got ${describe(value)}.${hint}`)
  }
}

/** A parser for a number between two bounds, both included. */
function ratio({ min, max, otherwise }) {
  return (value, place) => {
    if (value === undefined) return otherwise
    if (typeof value === 'number' && value >= min && value <= max) return value + 0
    return place.fail(`takes a number from ${min} to ${max}, got ${describe(value)}.`)
  }
}

/** A parser for `true` or `false`. */
function flag({ otherwise }) {
  return (value, place) => {
    if (value === undefined) return otherwise
    if (typeof value === 'boolean') return value
    return place.fail(`takes true or false, got ${describe(value)}.`)
  }
}

/** A parser for one of a few words. */
function oneOf(words, { otherwise } = {}) {
  return (value, place) => {
    if (value === undefined) return otherwise
    if (words.includes(value)) return value
    const likely = typeof value === 'string' ? closest(value, words) : undefined
    const hint = likely === undefined ? '' : ` Did you mean '${likely}'?`
    return place.fail(
      `takes ${alternatives(words.map((word) => `'${word}'`))}, got ${describeName(value)}.${hint}`,
    )
  }
}

/** A parser for a text that people will read: a line, not empty, not endless. */
function line({ what, max = 128 }) {
  return (value, place) => (value === undefined ? undefined : textOf(value, place, { what, max }))
}

/** The text itself, or undefined after a report that does not repeat it. */
function textOf(value, place, { what, max = Infinity }) {
  if (typeof value !== 'string') return place.fail(`takes ${what}, got ${describeHidden(value)}.`)
  if (value === '') return place.fail(`takes ${what}, got an empty string.`)
  if (hasControlCharacter(value)) {
    return place.fail(`takes ${what}, got a string with a control character (a line break, perhaps).`)
  }
  if (hasLoneSurrogate(value)) {
    return place.fail(`takes ${what}, got a string that is not well-formed Unicode.`)
  }
  if (value.length > max)
    return place.fail(`takes ${what} of at most ${max} characters, got ${value.length}.`)
  return value
}

function hasControlCharacter(text) {
  return /\p{Cc}/u.test(text)
}

function hasLoneSurrogate(text) {
  return /\p{Cs}/u.test(text)
}

/** Names a value without repeating a text, which may be a secret in the wrong place. */
function describe(value) {
  if (typeof value === 'number' || typeof value === 'boolean')
    return Object.is(value, -0) ? '-0' : String(value)
  return describeHidden(value)
}

/** Names only the kind of a value: for places where a secret belongs. */
function describeHidden(value) {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (value === '') return 'an empty string'
  if (isArray(value)) return 'an array'
  if (isPromise(value)) return 'a promise'
  if (typeof value === 'object')
    return copyOfObject(value) === undefined ? 'an unreadable object' : 'an object'
  return typeof value === 'string' ? `a string of ${counted(value.length)}` : `a ${typeof value}`
}

function counted(characters) {
  return characters === 1 ? '1 character' : `${characters} characters`
}

function isPromise(value) {
  return typeof value === 'object' && attempt(() => typeof value.then === 'function') === true
}

/** Whether a text is a word as options have them; a secret has digits, or is longer. */
function isWord(text) {
  return /^_{0,2}[A-Za-z]{1,16}([-_ ]?[A-Za-z]{1,16}){0,3}\d?_{0,2}$/.test(text) && text.length <= 24
}

/**
 * Quotes a text that is short and made of words, as the names of hosts, zones and choices are, and tells
 * only the kind and the length of anything else: it may be a secret in the wrong place.
 */
function describeName(value) {
  const isShown = typeof value === 'string' && value.length <= 24 && value.split(/[./:]+/).every(isWord)
  return isShown ? JSON.stringify(value) : describe(value)
}

function alternatives(items) {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** The word that a misspelt one most likely stands for, if any is near enough. */
function closest(word, known) {
  const plain = (text) => text.slice(0, 40).toLowerCase().replace(/[-_ ]/g, '')
  const wanted = plain(word)
  let best
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate))
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

function editDistance(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1))
    }
    row = next
  }
  return row[to.length]
}

module.exports = {
  MOST_ITEMS,
  Problems,
  Place,
  object,
  copyOfObject,
  copyOfArray,
  hasTooMany,
  oneOrMore,
  isArray,
  attempt,
  milliseconds,
  ratio,
  flag,
  oneOf,
  line,
  textOf,
  hasControlCharacter,
  hasLoneSurrogate,
  describe,
  describeHidden,
  isPromise,
  describeName,
  closest,
}
