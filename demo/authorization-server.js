'use strict'

const { randomBytes } = require('node:crypto')
const http = require('node:http')

/**
 * An authorization server with the wire of Genesys Cloud, and a resource that takes its tokens.
 *
 * `POST /oauth/token` takes client credentials as raw HTTP Basic and answers a wrong secret with
 * status 400. `GET /api/v2/anything` answers 200 to a valid token, else 401. In process:
 * `const server = await startAuthorizationServer()`; as a child process: see `forkAuthorizationServer`.
 */
class AuthorizationServer {
  /** The secrets that are accepted, by client id. */
  clients
  /** How long a token lives, in milliseconds. Genesys Cloud reports a second less; so does this. */
  lifetimeMs
  /** How long a token request takes, in milliseconds. */
  latencyMs
  /** While it is set, connections for tokens are cut. */
  isOut = false
  /** Answers that are given before anything else: `{ status, headers, body, destroy, delayMs }`. */
  script = []
  /** Token requests: what was presented, and how it was answered. */
  log = []
  resourceRequests = 0
  #tokens = new Map()
  #sockets = new Set()
  #http

  constructor({ clients = { app: ['secret'] }, lifetimeMs = 86_400_000, latencyMs = 0 } = {}) {
    this.clients = clients
    this.lifetimeMs = lifetimeMs
    this.latencyMs = latencyMs
    this.#http = http.createServer((request, response) => this.#answer(request, response))
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  async listen() {
    await new Promise((resolve) => this.#http.listen(0, '127.0.0.1', resolve))
    return this
  }

  get port() {
    return this.#http.address().port
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  get tokenUrl() {
    return `${this.url}/oauth/token`
  }

  /** Ends a token before its time; without one, every token. */
  revoke(token) {
    if (token === undefined) this.#tokens.clear()
    else this.#tokens.delete(token)
  }

  /** Connections that are open at the moment. */
  get connections() {
    return this.#sockets.size
  }

  async close() {
    const closed = new Promise((resolve) => this.#http.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #answer(request, response) {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (request.url.startsWith('/api/')) return this.#resource(request, response)
    if (this.isOut) return request.socket.destroy()
    const entry = { at: Date.now(), method: request.method, url: request.url, headers: request.headers, body }
    this.log.push(entry)
    const scripted = this.script.shift()
    const delay = scripted?.delayMs ?? this.latencyMs
    // A long delay must not outlive the server.
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay).unref())
    if (scripted?.destroy) return request.socket.destroy()
    const { status, headers, body: answer } = scripted?.status ? scripted : this.#grant(request, body)
    entry.status = status
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
    response.end(typeof answer === 'object' ? JSON.stringify(answer) : answer)
  }

  #grant(request, body) {
    const refuse = (error, description) => ({
      status: 400,
      body: { error, description, error_description: description },
    })
    if (new URLSearchParams(body).get('grant_type') !== 'client_credentials') {
      return refuse('unsupported_grant_type', 'grant_type must be client_credentials')
    }
    const [, encoded] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const [id, secret] = splitOnce(Buffer.from(encoded ?? '', 'base64').toString('utf8'))
    if (!Object.hasOwn(this.clients, id)) return refuse('invalid_client', 'client not found')
    if (!this.clients[id].includes(secret)) return refuse('invalid_client', 'authentication failed')
    const token = randomBytes(64).toString('base64url')
    this.#tokens.set(token, Date.now() + this.lifetimeMs)
    const expires_in = this.lifetimeMs / 1000 - 1
    return { status: 200, body: { access_token: token, token_type: 'bearer', expires_in } }
  }

  #resource(request, response) {
    this.resourceRequests += 1
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const isValid = (this.#tokens.get(token) ?? 0) > Date.now()
    response.writeHead(isValid ? 200 : 401, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(isValid ? { ok: true } : { code: 'bad.credentials', status: 401 }))
  }
}

function splitOnce(text) {
  const at = text.indexOf(':')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

async function startAuthorizationServer(options) {
  return new AuthorizationServer(options).listen()
}

/**
 * The same in a child process, so that a blocked event loop here does not slow it down.
 *
 * `set({ isOut: true })` sets its fields, `revoke(token)` ends tokens, `count()` tells what it saw.
 */
async function forkAuthorizationServer(options) {
  const { fork } = require('node:child_process')
  const child = fork(__filename, [], { serialization: 'json' })
  let last = 0
  const waiting = new Map()
  child.on('message', ({ id, result }) => {
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  const call = (method, argument) =>
    new Promise((resolve) => {
      last += 1
      waiting.set(last, resolve)
      child.send({ id: last, method, argument })
    })
  const { url, tokenUrl } = await call('start', options)
  return {
    url,
    tokenUrl,
    set: (fields) => call('set', fields),
    revoke: (token) => call('revoke', token),
    count: () => call('count'),
    close: () =>
      new Promise((resolve) => {
        child.once('exit', resolve)
        child.disconnect()
      }),
  }
}

function serveParent() {
  let server
  const methods = {
    start: async (options) => {
      server = await startAuthorizationServer(options)
      return { url: server.url, tokenUrl: server.tokenUrl }
    },
    set: (fields) => void Object.assign(server, fields),
    revoke: (token) => server.revoke(token),
    count: () => ({ tokenRequests: server.log.length, resourceRequests: server.resourceRequests }),
  }
  process.on('message', async ({ id, method, argument }) => {
    process.send({ id, result: await methods[method](argument) })
  })
  process.on('disconnect', () => process.exit())
}

if (require.main === module) serveParent()

module.exports = { startAuthorizationServer, forkAuthorizationServer }
