'use strict'

const { makeError } = require('./errors')

/**
 * Collects everything that is wrong with some options, so that a user corrects them in one go.
 *
 * Values are shown only where they cannot be secrets.
 */
class Problems {
  #found = []

  add(option, problem) {
    this.#found.push({ option, problem })
  }

  /** Adds what is wrong with a value: what it takes, and what it got. */
  expected(option, takes, got) {
    this.add(option, `must be ${takes}, got ${describe(got)}`)
  }

  /** Adds every key that is not known, with the one that was probably meant. */
  unknownKeys(object, known, path) {
    for (const key of Object.keys(object)) {
      if (known.includes(key)) continue
      const meant = closest(key, known)
      const hint = meant ? `did you mean ${meant}?` : `known options here: ${known.join(', ')}`
      this.add(path + key, `is not an option; ${hint}`)
    }
  }

  throwIfAny(code = 'ERR_INVALID_OPTION', above) {
    if (this.#found.length === 0) return
    const lines = this.#found.map(({ option, problem }) => `${option} ${problem}.`)
    const message =
      lines.length === 1 ? lines[0] : `${lines.length} options are wrong:\n- ${lines.join('\n- ')}`
    throw makeError(code, message, { option: this.#found[0].option }, above)
  }
}

/** Says what a value is, without saying what it holds. */
function describe(value) {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value) {
  return typeof value === 'string' && value !== ''
}

function closest(key, known) {
  const limit = Math.max(2, Math.floor(key.length / 3))
  const ranked = known.map((name) => ({ name, far: distance(key.toLowerCase(), name.toLowerCase()) }))
  ranked.sort((a, b) => a.far - b.far)
  return ranked[0] && ranked[0].far <= limit ? ranked[0].name : undefined
}

/** Levenshtein's edit distance; option names are short. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= Math.min(a.length, 64); i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}

module.exports = { Problems, describe, isObject, isText }
