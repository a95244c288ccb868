'use strict'

const { outageAnswer } = require('./outage')
const { SlidingWindow } = require('./sliding-window')

/**
 * Returns what a request asks for and by whom, as far as that is clear without knowing the client.
 */
function readTokenRequest({ url, headers, body }, auth) {
  const query = new URL(url, 'http://server').searchParams
  const form = new URLSearchParams(body)
  const candidates = presentedCredentials(headers.authorization, form, auth)
  const grantType = form.get('grant_type') ?? query.get('grant_type') ?? undefined
  return { grantType, scope: form.get('scope') ?? undefined, candidates }
}

/** Returns what is wrong with the form of a request, or undefined if nothing is. */
function mistakeOf({ method, url, headers, body }) {
  if (method !== 'POST') return refusal('invalid_request', 'the token endpoint takes POST', 405)
  const form = new URLSearchParams(body)
  const query = new URL(url, 'http://server').searchParams
  // RFC 8707 §2 allows several resources.
  const names = [...query.keys(), ...form.keys()].filter((name) => name !== 'resource')
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) return refusal('invalid_request', `${twice} is there twice`)
  if (headers.authorization !== undefined && form.has('client_secret')) {
    return refusal('invalid_request', 'the client authenticates in two ways')
  }
  return undefined
}

/** Returns the credentials that a request may mean: a client may encode its own or not. */
function presentedCredentials(authorization, form, auth) {
  const [, encoded] = /^Basic +(\S+)$/i.exec(authorization ?? '') ?? []
  const candidates = []
  if (encoded !== undefined && auth !== 'body') {
    const [id, secret] = splitOnce(Buffer.from(encoded, 'base64').toString('utf8'))
    if (auth !== 'basic') candidates.push({ clientId: id, presented: secret })
    if (auth !== 'basic-raw') candidates.push({ clientId: formDecoded(id), presented: formDecoded(secret) })
  }
  if (form.has('client_id') && (auth === 'body' || auth === 'any')) {
    candidates.push({ clientId: form.get('client_id'), presented: form.get('client_secret') ?? '' })
  }
  return candidates
}

function splitOnce(text) {
  const at = text.indexOf(':')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** Decodes a string by RFC 6749 §2.3.1. Returns it unchanged if it is not encoded. */
function formDecoded(text) {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** Handles token requests as Genesys Cloud does. */
class TokenEndpoint {
  #time
  #knobs
  #clients
  #tokens
  #window = new SlidingWindow()

  constructor(time, knobs, clients, tokens) {
    this.#time = time
    this.#knobs = knobs
    this.#clients = clients
    this.#tokens = tokens
  }

  /** Reads a request: who asks, and with which secret. */
  identify(request) {
    const { grantType, scope, candidates } = readTokenRequest(request, this.#knobs.auth)
    const known = candidates.map((candidate) => {
      const secret = this.#clients.get(candidate.clientId)?.secret(candidate.presented)
      return { ...candidate, secretId: secret?.id }
    })
    const { clientId, presented, secretId } = known.find(({ secretId }) => secretId) ?? known[0] ?? {}
    return { grantType, scope, clientId, presented, secretId }
  }

  /** Returns the response during an outage of the whole endpoint. */
  outage() {
    return outageAnswer(this.#knobs.outage, (status) => ({
      message: 'The service is not available.',
      status,
    }))
  }

  /** Returns the response to a request. None may be cached (RFC 6749 §5.1). */
  answer(request) {
    const { headers, ...answer } = this.#judge(request)
    return { ...answer, headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache', ...headers } }
  }

  #judge(request) {
    const { grantType, scope, clientId, presented, headers } = request
    const mistake = mistakeOf(request)
    if (mistake) return mistake
    if (!this.#window.passes(this.#knobs.rateLimit, this.#time.now())) {
      return refusal('invalid_request', 'rate limit exceeded; try again later')
    }
    if (grantType === undefined) return refusal('invalid_request', 'grant_type is missing')
    if (grantType !== 'client_credentials') {
      return refusal('unsupported_grant_type', 'grant_type must be client_credentials')
    }
    const wrong = (description) => this.#rejection(description, headers.authorization !== undefined)
    const client = this.#clients.get(clientId)
    if (!client) return wrong('client not found')
    const secret = client.secret(presented)
    if (!secret || !this.#clients.accepts(secret)) return wrong('authentication failed')
    if (client.grantType !== 'CLIENT-CREDENTIALS') {
      const description = 'client is not authorized to use the client_credential grant type'
      return refusal('unauthorized_client', description)
    }
    if (client.state !== 'active') return wrong(`client is ${client.state}`)
    const { scopes } = this.#knobs
    const isAllowed = (name) => scopes === null || scopes.includes(name)
    if (!(scope ?? '').split(' ').filter(Boolean).every(isAllowed)) {
      return refusal('invalid_scope', 'the client may not have this scope')
    }
    return { status: 200, body: this.#grant(client, scope) }
  }

  /** Returns the response to a wrong client or secret. */
  #rejection(description, isBasic) {
    const { wrongSecretStatus } = this.#knobs
    if (wrongSecretStatus === 403) return { status: 403, headers: { 'Content-Type': 'text/plain' } }
    const answer = refusal('invalid_client', description, wrongSecretStatus)
    // RFC 6749 §5.2 requires this header if the client used Authorization.
    if (wrongSecretStatus === 400 || !isBasic) return answer
    return { ...answer, headers: { 'WWW-Authenticate': 'Basic realm="oauth"' } }
  }

  #grant(client, scope) {
    const { lifetimeMs, expiresIn, tokenType } = this.#knobs
    const grant = { access_token: this.#tokens.issue(client.id), token_type: tokenType }
    // One second less than configured, as at Genesys Cloud.
    const seconds = Math.max(0, lifetimeMs / 1000 - 1)
    if (expiresIn !== 'absent') grant.expires_in = expiresIn === 'string' ? String(seconds) : seconds
    if (scope !== undefined) grant.scope = scope
    return grant
  }
}

function refusal(error, description, status = 400) {
  return { status, body: { error, description, error_description: description } }
}

module.exports = { TokenEndpoint }
