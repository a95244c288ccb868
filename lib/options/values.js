'use strict'

/** The most items of a list or an object in the options. A longer one is not processed. */
const MOST_ITEMS = 1000

/** Returns the result of `read`, or undefined if reading a foreign object throws. */
function attempt(read) {
  try {
    return read()
  } catch {
    return undefined
  }
}

/**
 * Returns a copy of an object's own enumerable members. Returns undefined if the value is no object
 * or cannot be read, such as a revoked proxy.
 */
function copyOfObject(value) {
  if (typeof value !== 'object' || value === null) return undefined
  return attempt(() => (Array.isArray(value) ? undefined : Object.assign(Object.create(null), value)))
}

/**
 * Returns a copy of an array, or undefined if the value is not one or cannot be read. Copies at
 * most one item more than allowed, which shows that there are too many.
 */
function copyOfArray(value) {
  return attempt(() => {
    if (!Array.isArray(value)) return undefined
    return Array.from({ length: Math.min(value.length, MOST_ITEMS + 1) }, (_, index) => value[index])
  })
}

function isArray(value) {
  return attempt(() => Array.isArray(value)) === true
}

function isPromise(value) {
  return typeof value === 'object' && attempt(() => typeof value.then === 'function') === true
}

/** Describes a value. A string is not repeated: it may be a secret in the wrong place. */
function describe(value) {
  if (typeof value === 'number' || typeof value === 'boolean')
    return Object.is(value, -0) ? '-0' : String(value)
  return describeHidden(value)
}

/** Describes only the kind of a value, for places where a secret belongs. */
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

/**
 * Quotes a short string of words, such as the name of a host, a zone or a choice. Describes only
 * the kind and length of any other string: it may be a secret in the wrong place.
 */
function describeName(value) {
  const isShown = typeof value === 'string' && value.length <= 24 && value.split(/[./:]+/).every(isWord)
  return isShown ? JSON.stringify(value) : describe(value)
}

/** Whether a string looks like a word in options. A secret has digits or is longer. */
function isWord(text) {
  return /^_{0,2}[A-Za-z]{1,16}([-_ ]?[A-Za-z]{1,16}){0,3}\d?_{0,2}$/.test(text) && text.length <= 24
}

function counted(characters) {
  return characters === 1 ? '1 character' : `${characters} characters`
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Returns the known word that a misspelt one most likely means, if one is close enough. */
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
  attempt,
  copyOfObject,
  copyOfArray,
  isArray,
  isPromise,
  describe,
  describeHidden,
  describeName,
  isWord,
  counted,
  grouped,
  closest,
}
