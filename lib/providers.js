'use strict'

const check = require('./check')
const {
  attempt,
  copyOfArray,
  copyOfObject,
  describe,
  describeHidden,
  describeName,
  hasLoneSurrogate,
  hasTooMany,
  isArray,
  oneOrMore,
} = check
const { flag, milliseconds, object, oneOf, textOf } = check
const { version } = require('../package.json')
const { isLoopback, noProxyFromEnv, parseProxy, proxyFromEnv } = require('./proxy')
const { tls } = require('./tls')

const BRAND = Symbol.for('oauth-rotor.provider')
const LONGEST_MS = 38_880_000_000
const HOUR_MS = 3_600_000

/**
 * Error codes of known servers that mean the client or its secret, besides those of RFC 6749 §5.2.
 * docs/options.md lists them.
 */
const VENDORS = [
  // Salesforce, LinkedIn
  'invalid_client_id',
  // Slack
  'bad_client_secret',
  // GitHub
  'incorrect_client_credentials',
  // Zoho
  'invalid_client_secret',
  // Google
  'deleted_client',
  'disabled_client',
]

/**
 * A provider only keeps its options, out of sight; they are checked with all others, when a manager
 * is constructed.
 */
function provider(preset, options) {
  const kept = keep(options)
  const made = { preset }
  Object.defineProperty(made, BRAND, { value: () => ({ preset, options: kept }) })
  return Object.freeze(made)
}

/** A copy, as deep as options go, that later changes of the caller's objects do not reach. */
function keep(value, depth = 3) {
  if (depth === 0 || ArrayBuffer.isView(value) || isUrl(value)) return value
  const copy = copyOfArray(value) ?? copyOfObject(value)
  if (copy === undefined) return value
  for (const key of Object.keys(copy)) copy[key] = keep(copy[key], depth - 1)
  return copy
}

/** Genesys Cloud, by `region` or `host`. */
function genesysCloud(options) {
  return provider('genesysCloud', options)
}

/** PagerDuty's identity service, for its REST API. */
function pagerDuty(options) {
  return provider('pagerDuty', options)
}

/** Any OAuth 2.0 token endpoint. */
function oauth2(options) {
  return provider('oauth2', options)
}

/**
 * What differs between the presets: where the endpoint is, and what holds unless an option says
 * otherwise.
 */
const PRESETS = {
  oauth2: {
    parsers: () => ({ tokenUrl: required(tokenUrl) }),
    url: ({ tokenUrl }) => tokenUrl,
    defaults: { clientAuth: 'basic', propagationMs: 0 },
    rejectedErrors: VENDORS,
    usage: "oauth2({ tokenUrl: 'https://idp.example.com/oauth2/token' })",
  },
  genesysCloud: {
    parsers: () => ({ region: genesysName, host: genesysName }),
    url: genesysUrl,
    defaults: { clientAuth: 'basic-raw', propagationMs: 10_000 },
    rejectedErrors: ['bad.credentials'],
    usage: "genesysCloud({ region: 'us_east_1' })",
  },
  pagerDuty: {
    parsers: () => ({ scope: required(scope, "such as 'as_account-us.<subdomain> incidents.read'") }),
    url: () => new URL('https://identity.pagerduty.com/oauth/token'),
    defaults: { clientAuth: 'body', propagationMs: 0 },
    rejectedErrors: [],
    usage: "pagerDuty({ scope: 'as_account-us.<subdomain> incidents.read' })",
  },
}

/**
 * Reads the `provider` option into `{ endpoint, transport, warning? }`, the first two as the native
 * part takes them. Answers undefined after a report.
 */
function parseProvider(value, place, { genesysHost, env }) {
  const { preset, options } = provided(value) ?? {}
  if (preset === undefined) return place.fail(wrongProvider(value))
  const { url, rejectedErrors, usage } = PRESETS[preset]
  if (copyOfObject(options) === undefined) {
    return place.fail(`takes an object of options, such as ${usage}; got ${describeHidden(options)}.`)
  }
  const parsed = object(options, place, parsersOf(preset))
  if (parsed === undefined) return undefined

  const found = url(parsed, place, genesysHost)
  if (found === undefined) return undefined
  const { href, hostname, protocol, warning } = found
  if (protocol === 'http:' && !isLoopback({ hostname }) && parsed.allowInsecureHttp === false) {
    const where = preset === 'oauth2' ? 'tokenUrl' : 'host'
    const exceptions = 'plain http only for this machine (localhost), or with allowInsecureHttp: true'
    return place.key(where).fail(`takes an https URL; ${exceptions}.`)
  }
  const { clientAuth, scope, audience, resource, params, defaultLifetimeMs, propagationMs } = parsed
  const { ignoreExpiresIn, treatAsBearer, userAgent, tls } = parsed
  return {
    endpoint: {
      tokenUrl: href,
      clientAuth,
      scope,
      audience,
      resource,
      params,
      defaultLifetimeMs,
      ignoreExpiresIn,
      treatAsBearer,
      // In one order, so that managers of one name agree.
      rejectedErrors: [...new Set([...rejectedErrors, ...parsed.rejectedErrors])].sort(),
      propagationMs,
    },
    transport: {
      ca: [],
      userAgent,
      ...tls,
      ...chooseProxy(parsed.proxy, { hostname, protocol }, place, env),
    },
    warning,
  }
}

function provided(value) {
  const detail = attempt(() => value[BRAND]?.())
  return attempt(() => Object.hasOwn(PRESETS, detail.preset)) ? detail : undefined
}

function wrongProvider(value) {
  const makers = 'genesysCloud({ region }), pagerDuty({ scope }) or oauth2({ tokenUrl })'
  return value === undefined
    ? `is required: ${makers}.`
    : `takes what ${makers} returns, got ${describeHidden(value)}.`
}

const PARSERS = {}

/** The parsers of a preset's options; a thousand managers need the table once. */
function parsersOf(preset) {
  const { defaults, parsers } = PRESETS[preset]
  return (PARSERS[preset] ??= { ...commonParsers(defaults), ...parsers() })
}

function commonParsers(defaults) {
  return {
    clientAuth: oneOf(['basic', 'basic-raw', 'body'], { otherwise: defaults.clientAuth }),
    scope: optional(scope),
    audience: optional((value, place) => textOf(value, place, { what: 'a string' })),
    resource: resources,
    params: parameters,
    defaultLifetimeMs: milliseconds({ min: 1000, max: LONGEST_MS, otherwise: 300_000 }),
    ignoreExpiresIn: flag({ otherwise: false }),
    treatAsBearer: flag({ otherwise: false }),
    rejectedErrors: errorCodes,
    userAgent,
    propagationMs: milliseconds({ min: 0, max: HOUR_MS, otherwise: defaults.propagationMs }),
    tls,
    proxy,
    allowInsecureHttp: flag({ otherwise: false }),
  }
}

function optional(parser) {
  return (value, place) => (value === undefined ? undefined : parser(value, place))
}

function required(parser, example) {
  const hint = example === undefined ? '' : `, ${example}`
  return (value, place) => (value === undefined ? place.fail(`is required${hint}.`) : parser(value, place))
}

function tokenUrl(value, place) {
  const url = urlOf(value)
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return place.fail(`takes an absolute https URL, got ${describeName(value)}.`)
  }
  if (url.username !== '' || url.password !== '') {
    return place.fail('must not hold a user name or password: the credentials are an option of their own.')
  }
  if (url.hash !== '') return place.fail('must not hold a fragment (RFC 6749 §3.2).')
  return url
}

function urlOf(value) {
  const text = isUrl(value) ? value.href : value
  return typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
}

/** Goes by shape: a Jest environment may have a URL class of its own. */
function isUrl(value) {
  return attempt(() => typeof value.href === 'string' && typeof value.searchParams === 'object') === true
}

function scope(value, place) {
  if (isArray(value)) {
    return place.fail("takes one string, its names separated by spaces: scopes.join(' ').")
  }
  return textOf(value, place, { what: 'a string of names separated by spaces' })
}

function resources(value, place) {
  if (value === undefined) return []
  return oneOrMore(value, place).map(([item, at]) => resource(item, at))
}

function resource(value, place) {
  const text = isUrl(value) ? value.href : value
  if (typeof text === 'string' && URL.canParse(text) && !text.includes('#') && text === text.trim()) {
    return text
  }
  return place.fail(`takes an absolute URI without a fragment (RFC 8707 §2), got ${describeName(text)}.`)
}

/**
 * Parameters with an option of their own, and those by which a client authenticates (RFC 6749 §2.3:
 * one way at a time).
 */
const RESERVED = {
  grant_type: 'it is always client_credentials',
  client_id: 'it comes from the credentials',
  client_secret: 'it comes from the credentials',
  client_assertion: 'the client authenticates by its secret',
  client_assertion_type: 'the client authenticates by its secret',
  scope: 'use the option scope',
  audience: 'use the option audience',
  resource: 'use the option resource',
}

function parameters(value, place) {
  if (value === undefined) return []
  const copy = copyOfObject(value)
  if (copy === undefined) return place.fail(`takes an object of strings, got ${describeHidden(value)}.`)
  if (hasTooMany(Object.keys(copy), place)) return []
  return Object.entries(copy).map(([name, text]) => {
    const at = place.key(name)
    if (Object.hasOwn(RESERVED, name)) return at.fail(`cannot be set here: ${RESERVED[name]}.`)
    if (name === '') return at.fail('has an empty name.')
    if (hasLoneSurrogate(name)) return at.fail('has a name that is not well-formed Unicode.')
    if (typeof text !== 'string') return at.fail(`takes a string, got ${describeHidden(text)}.`)
    if (hasLoneSurrogate(text)) return at.fail('takes a string of well-formed Unicode.')
    return [name, text]
  })
}

/** Codes that a server says instead of `invalid_client` (RFC 6749 A.7: visible ASCII and blanks). */
function errorCodes(value, place) {
  if (value === undefined) return []
  const list = copyOfArray(value)
  const usage = "a list of error codes, such as ['invalid_client_id']"
  if (list === undefined) return place.fail(`takes ${usage}, got ${describeHidden(value)}.`) ?? []
  if (hasTooMany(list, place)) return []
  return list.map((item, index) => {
    const at = place.item(index)
    const code = textOf(item, at, { what: 'an error code', max: 128 })
    if (code === undefined || /^[!-9;-~]([ !-9;-~]*[!-9;-~])?$/.test(code)) return code
    return at.fail('takes an error code: visible ASCII characters without a colon, and no blank at its ends.')
  })
}

/** The `User-Agent` of all requests (RFC 9110 §10.1.5). */
function userAgent(value, place) {
  if (value === undefined) return `oauth-rotor/${version}`
  const what = "a User-Agent, such as 'acme-webhooks/1.2 (ops@acme.example)'"
  const text = textOf(value, place, { what, max: 256 })
  if (text === undefined || /^[!-~]([ -~]*[!-~])?$/.test(text)) return text
  return place.fail(`takes ${what}: visible ASCII characters, and no blank at its ends.`)
}

function proxy(value, place) {
  if (value === undefined || value === false) return value
  const text = isUrl(value) ? value.href : value
  if (typeof text !== 'string' || text === '') {
    return place.fail(`takes the URL of an http or https proxy, or false for none; got ${describe(value)}.`)
  }
  const { href, problem } = parseProxy(text)
  return href ?? place.fail(`takes the URL of an http or https proxy, or false for none; ${problem}.`)
}

/** The option wins over the environment, whose exceptions (NO_PROXY) then do not count. */
function chooseProxy(option, url, place, env) {
  if (option === false || isLoopback(url)) return {}
  if (option !== undefined) return { proxy: option }
  const found = proxyFromEnv(url.protocol, env)
  if (found === undefined) return {}
  const { href, problem } = parseProxy(found.value)
  if (problem !== undefined) {
    const remedy = 'Correct the variable, or set proxy to a URL or to false.'
    return place
      .key('proxy')
      .fail(`comes from the environment variable ${found.variable}, and ${problem}. ${remedy}`)
  }
  const noProxy = noProxyFromEnv(env)
  return noProxy === undefined ? { proxy: href } : { proxy: href, noProxy }
}

/** Null after a report, so that a wrong name is not also a missing one. */
function genesysName(value, place) {
  return value === undefined ? undefined : (textOf(value, place, { what: 'a string', max: 300 }) ?? null)
}

/** The endpoint of a region or host. A URL of this machine stands in for Genesys Cloud in tests. */
function genesysUrl({ region, host }, place, genesysHost) {
  if (region !== undefined && host !== undefined) {
    return place.key('host').fail('cannot be combined with region: give one of the two.')
  }
  if (region === undefined && host === undefined) {
    return place.key('region').fail("is required, such as 'us_east_1' or 'sa_east_1'; or give host.")
  }
  const name = region ?? host
  if (region === null || host === null) return undefined
  const at = place.key(region === undefined ? 'host' : 'region')
  const url = /^https?:\/\//i.test(name) && region === undefined ? urlOf(name) : undefined
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    return at.fail('must not hold a user name or password: the credentials are an option of their own.')
  }
  if (url !== undefined && isLoopback(url)) return new URL('/oauth/token', url)

  const answer = JSON.parse(genesysHost(url?.host ?? name))
  if (answer.error !== undefined) return at.fail(`is not usable: ${answer.error.replace(/\.?$/, '.')}`)
  const endpoint = urlOf(`${url?.protocol ?? 'https:'}//${answer.host}/oauth/token`)
  if (endpoint?.pathname !== '/oauth/token' || endpoint.username !== '') {
    return at.fail(`takes the name of a host, such as 'login.mypurecloud.com', got ${describeName(name)}.`)
  }
  const { href, hostname, protocol } = endpoint
  const warning = answer.corrected
    ? `${at.path} ${describeName(name)} is Genesys Cloud's API; tokens come from ${answer.host}, which is used instead.`
    : undefined
  return { href, hostname, protocol, warning }
}

module.exports = { genesysCloud, pagerDuty, oauth2, parseProvider, urlOf, LONGEST_MS, HOUR_MS }
