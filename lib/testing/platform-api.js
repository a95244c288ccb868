'use strict'

const { randomUUID } = require('node:crypto')

const MESSAGES = {
  401: ['bad.credentials', 'Invalid login credentials.'],
  403: ['not.authorized', 'You are not authorized to perform the requested action.'],
  404: ['not.found', 'The requested resource was not found.'],
  405: ['method.not.allowed', 'HTTP 405 Method Not Allowed'],
  429: [
    'too.many.requests.retry.after',
    'Rate limit exceeded the maximum. Retry the request in [42] seconds',
  ],
}

/**
 * The Platform API of a fake server: resources that accept its tokens, and the administration of
 * its clients.
 */
class PlatformApi {
  #knobs
  #clients
  #tokens
  #regenerate

  /** `regenerate(client)` returns the new secret. */
  constructor(knobs, clients, tokens, regenerate) {
    this.#knobs = knobs
    this.#clients = clients
    this.#tokens = tokens
    this.#regenerate = regenerate
  }

  /**
   * Handles a request. Returns `{ status, headers?, body, token?, clientId? }`, or `{ destroy:
   * true, … }`.
   */
  answer({ method, url, headers }) {
    const { resourceStatus } = this.#knobs
    const { pathname, searchParams } = new URL(url, 'http://server')
    const [, presented] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
    if (resourceStatus !== null) return { ...failure(resourceStatus), token: presented }
    if (presented === undefined) {
      const message = 'No authentication bearer token specified in authorization header.'
      return failure(401, 'authentication.required', message)
    }
    const preserveIdle = searchParams.get('preserveIdleTTL') === 'true'
    const token = this.#tokens.use(presented, { preserveIdle })
    const client = token && this.#clients.get(token.clientId)
    if (!client || client.state === 'disabled') return { ...failure(401), token: presented }
    const path = pathname.slice(pathname.indexOf('/api/v2/') + '/api/v2'.length)
    return { ...this.#authorized(method, path, client, token), token: presented, clientId: client.id }
  }

  #authorized(method, path, client, token) {
    if (path === '/tokens/me') return this.#tokenOfCaller(method, client, token)
    const [, id, isSecret] = /^\/oauth\/clients\/([^/]+)(\/secret)?$/.exec(path) ?? []
    if (id === undefined) return { status: 200, body: { ok: true } }
    const subject = this.#clients.get(decodeURIComponent(id))
    if (!subject) return failure(404)
    if (method !== (isSecret ? 'POST' : 'GET')) return failure(405)
    if (!isSecret) return { status: 200, body: describe(subject, this.#knobs) }
    const secret = this.#regenerate(subject)
    if (this.#knobs.dropResetResponse) return { destroy: true }
    return { status: 200, body: describe(subject, this.#knobs, secret) }
  }

  #tokenOfCaller(method, client, token) {
    if (method === 'DELETE') {
      this.#tokens.revoke(token.text)
      return { status: 200, body: {} }
    }
    if (method !== 'GET' && method !== 'HEAD') return failure(405)
    return { status: 200, body: { authorizedScope: [], OAuthClient: { id: client.id, name: client.id } } }
  }
}

/**
 * Returns a client as the API shows it. Only the response to the call that made the secret includes
 * it.
 */
function describe(client, { lifetimeMs }, secret) {
  return {
    id: client.id,
    name: client.id,
    accessTokenValiditySeconds: lifetimeMs / 1000,
    registeredRedirectUri: [],
    ...(secret === undefined ? {} : { secret }),
    dateCreated: new Date(client.createdAt).toISOString(),
    dateModified: new Date(client.modifiedAt).toISOString(),
    authorizedGrantType: client.grantType,
    scope: [],
    roleDivisions: [],
    state: client.state,
    selfUri: `/api/v2/oauth/clients/${encodeURIComponent(client.id)}`,
  }
}

function failure(status, code = MESSAGES[status]?.[0], message = MESSAGES[status]?.[1]) {
  const body = {
    message: message ?? `HTTP ${status}`,
    code: code ?? 'internal.server.error',
    status,
    contextId: randomUUID(),
    details: [],
    errors: [],
  }
  return { status, headers: status === 429 ? { 'Retry-After': '42' } : {}, body }
}

module.exports = { PlatformApi }
