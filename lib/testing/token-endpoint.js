'use strict'

/** What was asked for, and by whom: as far as it can be told without knowing the client. */
function readTokenRequest({ url, headers, body }, auth) {
  const query = new URL(url, 'http://server').searchParams
  const form = new URLSearchParams(body)
  const candidates = presentedCredentials(headers.authorization, form, auth)
  return { grantType: form.get('grant_type') ?? query.get('grant_type') ?? undefined, candidates }
}

/** The pairs that a request may mean, for a client may encode its credential or not. */
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

/** Undoes the encoding of RFC 6749 §2.3.1; what is not encoded stays as it is. */
function formDecoded(text) {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** Answers token requests as Genesys Cloud does. */
class TokenEndpoint {
  #time
  #knobs
  #clients
  #tokens
  /** When requests were let through, for the rate limit. */
  #granted = []

  constructor(time, knobs, clients, tokens) {
    this.#time = time
    this.#knobs = knobs
    this.#clients = clients
    this.#tokens = tokens
  }

  /** Reads a request: who asks, and with which secret. */
  identify(request) {
    const { grantType, candidates } = readTokenRequest(request, this.#knobs.auth)
    const known = candidates.map((candidate) => {
      const secret = this.#clients.get(candidate.clientId)?.secret(candidate.presented)
      return { ...candidate, secretId: secret?.id }
    })
    const { clientId, presented, secretId } = known.find(({ secretId }) => secretId) ?? known[0] ?? {}
    return { grantType, clientId, presented, secretId }
  }

  /** What is wrong with the endpoint as a whole, if anything is: `'cut'` or an answer. */
  outage() {
    const { outage } = this.#knobs
    if (outage === false) return undefined
    if (outage === true) return 'cut'
    if (outage === 'html') {
      const body = '<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>'
      return { status: 502, headers: { 'Content-Type': 'text/html' }, body }
    }
    return { status: outage, body: { message: 'The service is not available.', status: outage } }
  }

  answer({ method, grantType, clientId, presented }) {
    if (method !== 'POST') return refusal('invalid_request', 'the token endpoint takes POST', 405)
    if (this.#isTooFast()) return refusal('invalid_request', 'rate limit exceeded; try again later')
    if (grantType === undefined) return refusal('invalid_request', 'grant_type is missing')
    if (grantType !== 'client_credentials') {
      return refusal('unsupported_grant_type', 'grant_type must be client_credentials')
    }
    const client = this.#clients.get(clientId)
    if (!client) return refusal('invalid_client', 'client not found')
    const secret = client.secret(presented)
    if (!secret || !this.#clients.accepts(secret)) return refusal('invalid_client', 'authentication failed')
    if (client.grantType !== 'CLIENT-CREDENTIALS') {
      const description = 'client is not authorized to use the client_credential grant type'
      return refusal('unauthorized_client', description)
    }
    if (client.state !== 'active') return refusal('invalid_client', `client is ${client.state}`)
    return { status: 200, body: this.#grant(client) }
  }

  #grant(client) {
    const { lifetimeMs, expiresIn, tokenType } = this.#knobs
    const grant = { access_token: this.#tokens.issue(client.id), token_type: tokenType }
    // A second less than configured, as the real one has it.
    const seconds = Math.max(0, lifetimeMs / 1000 - 1)
    if (expiresIn !== 'absent') grant.expires_in = expiresIn === 'string' ? String(seconds) : seconds
    return grant
  }

  #isTooFast() {
    const { rateLimit } = this.#knobs
    if (rateLimit === null) return false
    const now = this.#time.now()
    this.#granted = this.#granted.filter((at) => now - at < rateLimit.perMs)
    if (this.#granted.length >= rateLimit.burst) return true
    this.#granted.push(now)
    return false
  }
}

function refusal(error, description, status = 400) {
  return { status, body: { error, description, error_description: description } }
}

module.exports = { TokenEndpoint }
