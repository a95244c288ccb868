'use strict'

const { randomBytes } = require('node:crypto')
const { mkdirSync, renameSync, writeFileSync } = require('node:fs')
const path = require('node:path')

/** The directory that the service reads its secrets from, each in a file. */
class Secrets {
  #directory
  #values = new Map()

  constructor(directory) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  get(name) {
    return this.#values.get(name)
  }

  /** Replaces a secret in one step, so that nobody reads half of it. Without a text, at random. */
  write(name, text = randomBytes(24).toString('base64url')) {
    this.#values.set(name, text)
    const file = path.join(this.#directory, name)
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
    return text
  }
}

module.exports = { Secrets }
