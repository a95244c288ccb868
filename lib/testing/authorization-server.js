'use strict'

const { KNOBS, checkSecrets } = require('./authorization-knobs')
const { Clients } = require('./clients')
const { HttpServer } = require('./http-server')
const { checkKnobs, parseOptions } = require('./knobs')
const { PlatformApi } = require('./platform-api')
const { Time } = require('./time')
const { TokenEndpoint } = require('./token-endpoint')
const { Tokens } = require('./tokens')

/**
 * An authorization server with the protocol of Genesys Cloud, and an API that accepts its tokens.
 * `index.d.ts` documents every member.
 */
class AuthorizationServer extends HttpServer {
  requests = []
  resourceRequests = []
  #knobs
  #clients
  #tokens
  #endpoint
  #api

  constructor(options) {
    const { clock, knobs } = parseOptions(KNOBS, options, 'fakeAuthorizationServer(options)')
    const time = new Time(clock, { isAskedByManagers: true })
    super(time, knobs)
    this.#knobs = knobs
    this.#clients = new Clients(time, knobs)
    this.#clients.set(knobs.clients)
    this.#tokens = new Tokens(time, knobs)
    this.#endpoint = new TokenEndpoint(time, knobs, this.#clients, this.#tokens)
    this.#api = new PlatformApi(knobs, this.#clients, this.#tokens, (client) => this.#regenerate(client))
  }

  async _listen() {
    await super._listen()
    this.tokenUrl = `${this.url}/oauth/token`
    return this
  }

  set(knobs) {
    const changes = checkKnobs(KNOBS, knobs, 'set(knobs)')
    Object.assign(this.#knobs, changes)
    if (changes.clients) this.#clients.set(changes.clients)
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

  #regenerate(client) {
    if (!this.#knobs.tokensSurviveRotation) this.#tokens.revokeOf(client.id)
    return this.#clients.regenerate(client)
  }

  _serve(request, signal) {
    return request.path.endsWith('/oauth/token')
      ? this.#serveToken(request, signal)
      : this.#serveResource(request)
  }

  #serveToken({ url, ...seen }, signal) {
    const entry = { ...seen, ...this.#endpoint.identify({ ...seen, url }) }
    this.requests.push(entry)
    return this._answer(entry, signal, () => {
      return this.#endpoint.outage() ?? this.#endpoint.answer({ ...entry, url })
    })
  }

  #serveResource({ at, method, url, path, headers, status }) {
    if (!path.includes('/api/v2/')) return { status: 404, body: {} }
    const entry = { at, method, path, headers, status }
    this.resourceRequests.push(entry)
    const { token, clientId, ...answer } = this.#api.answer({ ...entry, url })
    Object.assign(entry, { token, clientId, status: answer.status ?? 'cut' })
    return answer
  }
}

/** Starts a server on a free port of this machine. */
async function fakeAuthorizationServer(options) {
  return new AuthorizationServer(options)._listen()
}

module.exports = { fakeAuthorizationServer }
