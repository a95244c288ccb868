'use strict'

const http = require('node:http')

const { describe } = require('../options/values')
const { checkObject } = require('../options/plain')
const { duration } = require('./knobs')

/**
 * Clients close idle connections before the server does, so that no request meets a closing one.
 */
const KEEP_ALIVE_MS = 120_000

/** The members of a response from the test. */
const ANSWER = ['status', 'headers', 'body', 'delayMs', 'destroy']

/**
 * What fake servers share: a port of this machine, its connections, responses from the test, and
 * closing. A subclass adds `_serve(request, signal)`, which returns the response `{ status,
 * headers, body }`, `{ destroy: true }`, or undefined if the caller has left.
 */
class HttpServer {
  #time
  #knobs
  /** Responses from the test, each for one request. */
  #answers = []
  #sockets = new Set()
  #http
  #closed

  /** Reads the knobs `latencyMs` and, if there is one, `clockSkewMs`. */
  constructor(time, knobs) {
    this.#time = time
    this.#knobs = knobs
    this.#http = http.createServer((request, response) => this.#receive(request, response))
    this.#http.keepAliveTimeout = KEEP_ALIVE_MS
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** Called once, by the function that makes the server. */
  async _listen() {
    await new Promise((resolve, reject) => {
      this.#http.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    this.url = `http://127.0.0.1:${this.#http.address().port}`
    return this
  }

  get connections() {
    return this.#sockets.size
  }

  respond(...answers) {
    const checked = answers.map((answer) => (typeof answer === 'function' ? answer : checkAnswer(answer)))
    this.#answers.push(...checked)
  }

  close() {
    this.#closed ??= new Promise((resolve) => {
      this.#http.close(() => resolve())
      for (const socket of this.#sockets) socket.destroy()
    })
    return this.#closed
  }

  // Node 20 has the symbol; older TypeScript targets look it up under this name.
  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.close()
  }

  /**
   * Returns the response to a logged request when it is due: the test's, or what `judge()` returns.
   * Records in the log entry how the request ends.
   */
  async _answer(entry, signal, judge) {
    const next = this.#answers.shift()
    const own = typeof next === 'function' ? await ask(next, entry) : next
    await this.#time.wait(own?.delayMs ?? this.#knobs.latencyMs, signal)
    if (signal.aborted) {
      entry.status = 'abandoned'
      return undefined
    }
    const isOwn = own?.destroy || own?.status !== undefined
    const answer = isOwn ? own : judge()
    entry.status = answer.destroy ? 'cut' : answer.status
    return answer
  }

  async #receive(request, response) {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      let body = ''
      for await (const chunk of request.setEncoding('utf8')) body += chunk
      const { method, url, headers } = request
      const { pathname: path } = new URL(url, 'http://server')
      const seen = { at: this.#time.now(), method, url, path, headers, body, status: 'pending' }
      const answer = await this._serve(seen, gone.signal)
      if (answer?.destroy) response.socket.destroy()
      else if (answer !== undefined) this.#send(response, answer)
    } catch (error) {
      // A client that left is no error.
      if (!gone.signal.aborted) this.#send(response, mistake(error))
    }
  }

  #send(response, { status, headers, body }) {
    const date = new Date(this.#time.now() + (this.#knobs.clockSkewMs ?? 0)).toUTCString()
    response.writeHead(status, { 'Content-Type': 'application/json', Date: date, ...headers })
    const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
    response.end(isRaw ? body : JSON.stringify(body))
  }
}

/** Checks a response from the test. With headers or a body, the default of the status is 200. */
function checkAnswer(value) {
  const answer = checkObject(value, ANSWER, 'respond(answer)')
  const { status, delayMs } = answer
  if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new TypeError(`respond({ status }) takes a status from 200 to 599, got ${describe(status)}.`)
  }
  if (delayMs !== undefined) duration(delayMs, 'respond({ delayMs })')
  if (status === undefined && (answer.body !== undefined || answer.headers !== undefined)) answer.status = 200
  return answer
}

/** Returns the response of a test's function. */
async function ask(answer, request) {
  try {
    return checkAnswer(await answer(request))
  } catch (error) {
    return mistake(error)
  }
}

/** Reports a mistake in a test's response where the test can see it. */
function mistake(error) {
  return { status: 500, body: { message: String(error?.message ?? error) } }
}

module.exports = { HttpServer }
