'use strict'

const http = require('node:http')

const { Clients } = require('./clients')
const { checkAnswer, checkKnobs, checkSecrets, parseOptions } = require('./knobs')
const { PlatformApi } = require('./platform-api')
const { Time } = require('./time')
const { TokenEndpoint } = require('./token-endpoint')
const { Tokens } = require('./tokens')

/** Clients let go of idle connections before the server does, so that no request meets a closing one. */
const KEEP_ALIVE_MS = 120_000

/**
 * An authorization server with the wire of Genesys Cloud, and an API that takes its tokens.
 * `testing.d.ts` documents every member.
 */
class AuthorizationServer {
  requests = []
  resourceRequests = []
  #time
  #knobs
  #clients
  #tokens
  #endpoint
  #api
  /** Answers of the test's own, each for one token request. */
  #answers = []
  #sockets = new Set()
  #http
  #closed

  constructor(options) {
    const { clock, knobs } = parseOptions(options)
    this.#time = new Time(clock)
    this.#knobs = knobs
    this.#clients = new Clients(this.#time, knobs)
    this.#clients.set(knobs.clients)
    this.#tokens = new Tokens(this.#time, knobs)
    this.#endpoint = new TokenEndpoint(this.#time, knobs, this.#clients, this.#tokens)
    this.#api = new PlatformApi(knobs, this.#clients, this.#tokens, (client) => this.#regenerate(client))
    this.#http = http.createServer((request, response) => this.#serve(request, response))
    this.#http.keepAliveTimeout = KEEP_ALIVE_MS
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** Called once, by `fakeAuthorizationServer`. */
  async _listen() {
    await new Promise((resolve, reject) => {
      this.#http.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    this.url = `http://127.0.0.1:${this.#http.address().port}`
    this.tokenUrl = `${this.url}/oauth/token`
    return this
  }

  get connections() {
    return this.#sockets.size
  }

  set(knobs) {
    const changes = checkKnobs(knobs, 'set(knobs)')
    Object.assign(this.#knobs, changes)
    if (changes.clients) this.#clients.set(changes.clients)
  }

  respond(...answers) {
    const checked = answers.map((answer) => (typeof answer === 'function' ? answer : checkAnswer(answer)))
    this.#answers.push(...checked)
  }

  revoke(token) {
    this.#tokens.revoke(token)
  }

  regenerateSecret(clientId) {
    return this.#regenerate(this.#clients.existing(clientId))
  }

  setSecrets(clientId, secrets) {
    this.#clients.existing(clientId).setSecrets(checkSecrets(secrets, 'setSecrets(clientId, secrets)'))
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

  #regenerate(client) {
    if (!this.#knobs.tokensSurviveRotation) this.#tokens.revokeOf(client.id)
    return this.#clients.regenerate(client)
  }

  async #serve(request, response) {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      let body = ''
      for await (const chunk of request.setEncoding('utf8')) body += chunk
      const { method, url, headers } = request
      const { pathname: path } = new URL(url, 'http://server')
      const entry = { at: this.#time.now(), method, path, headers, status: 'pending' }
      if (path.endsWith('/oauth/token')) {
        await this.#serveToken({ ...entry, url, body }, response, gone.signal)
      } else {
        this.#serveResource({ ...entry, url }, response)
      }
    } catch (error) {
      // A peer that went away is nobody's error.
      if (!gone.signal.aborted) this.#send(response, mistake(error))
    }
  }

  async #serveToken({ url, ...seen }, response, signal) {
    const entry = { ...seen, ...this.#endpoint.identify({ ...seen, url }) }
    this.requests.push(entry)
    const next = this.#answers.shift()
    const own = typeof next === 'function' ? await ask(next, entry) : next
    await this.#time.wait(own?.delayMs ?? this.#knobs.latencyMs, signal)
    if (signal.aborted) {
      entry.status = 'abandoned'
      return
    }
    const isOwn = own?.destroy || own?.status !== undefined
    const answer = isOwn ? own : (this.#endpoint.outage() ?? this.#endpoint.answer({ ...entry, url }))
    if (answer === 'cut' || answer.destroy) {
      entry.status = 'cut'
      response.socket.destroy()
      return
    }
    entry.status = answer.status
    this.#send(response, answer)
  }

  #serveResource({ url, ...entry }, response) {
    if (!entry.path.includes('/api/v2/')) return this.#send(response, { status: 404, body: {} })
    this.resourceRequests.push(entry)
    const { token, clientId, ...answer } = this.#api.answer({ ...entry, url })
    Object.assign(entry, { token, clientId, status: answer.status ?? 'cut' })
    if (answer.destroy) response.socket.destroy()
    else this.#send(response, answer)
  }

  #send(response, { status, headers, body }) {
    const date = new Date(this.#time.now() + this.#knobs.clockSkewMs).toUTCString()
    response.writeHead(status, { 'Content-Type': 'application/json', Date: date, ...headers })
    const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
    response.end(isRaw ? body : JSON.stringify(body))
  }
}

/** What a test's own function answers. */
async function ask(answer, request) {
  try {
    return checkAnswer(await answer(request))
  } catch (error) {
    return mistake(error)
  }
}

/** A mistake in a test's answers is told where the test can see it. */
function mistake(error) {
  return { status: 500, body: { message: String(error?.message ?? error) } }
}

/** Starts a server on a free port of this machine. */
async function fakeAuthorizationServer(options) {
  return new AuthorizationServer(options)._listen()
}

module.exports = { fakeAuthorizationServer }
