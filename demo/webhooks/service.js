'use strict'

const { spawn } = require('node:child_process')
const { createInterface } = require('node:readline')

/**
 * The example service as a process, as its `npm start` runs it. `restart()` begins another one once
 * the last has ended.
 */
class ServiceProcess {
  /** Where it takes requests; undefined while it does not. */
  url
  #main
  #env
  #child
  #ended
  #onLine

  /** `onLine` gets each line of its log, parsed. */
  constructor({ main, env, onLine }) {
    this.#main = main
    this.#env = env
    this.#onLine = onLine
  }

  /** Resolves when it takes requests. */
  async start() {
    const child = spawn(process.execPath, [this.#main], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
    this.#ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
    await new Promise((resolve, reject) => {
      this.#ended.then(() => reject(new Error(`The service ended: ${errors}`)))
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text)
        if (line.msg === 'ready') resolve((this.url = `http://127.0.0.1:${line.port}`))
        this.#onLine(line)
      })
    })
  }

  /** Sends the signal; resolves with `{ code, signal }` when the process has ended. */
  async end(signal) {
    this.url = undefined
    this.#child?.kill(signal)
    return this.#ended
  }
}

module.exports = { ServiceProcess }
