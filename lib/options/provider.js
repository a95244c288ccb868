'use strict'

const { genesysName, genesysUrl, tokenUrl } = require('./endpoint')
const { HOUR_MS, LONGEST_MS, flag, milliseconds, object, oneOf, textOf } = require('./parsers')
const { chooseProxy, proxy } = require('./proxy')
const { tls } = require('./tls')
const { errorCodes, parameters, resources, scope, userAgent } = require('./token-request')
const { isLoopback, isUrl } = require('./url')
const { attempt, copyOfArray, copyOfObject, describeHidden } = require('./values')

const BRAND = Symbol.for('oauth-rotor.provider')

/**
 * Error codes by which known servers reject the client or its secret, besides those of RFC 6749
 * §5.2. docs/options.md lists them.
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
 * Makes a provider, which hides its options. A manager checks them, with all others, when it is
 * created.
 */
function provider(preset, options) {
  const kept = keep(options)
  const made = { preset }
  Object.defineProperty(made, BRAND, { value: () => ({ preset, options: kept }) })
  return Object.freeze(made)
}

/** Returns a copy, so that later changes to the caller's objects have no effect. */
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

/** What differs between the presets: where the endpoint is, and the defaults. */
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
 * Parses the `provider` option into `{ endpoint, transport, warning? }`, the first two as the
 * native part takes them. Returns undefined after reporting a problem.
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
      // Sorted, so that managers of one name agree whatever the order.
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

/** Returns the parsers of a preset's options. All managers share the table. */
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

module.exports = { genesysCloud, oauth2, pagerDuty, parseProvider }
