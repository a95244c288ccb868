'use strict'

const { inspect } = require('node:util')
const { Problems, isObject, isText } = require('./check')
const native = require('./load-native')

const PROVIDER = Symbol.for('oauth-rotor.provider')

const CLIENT_AUTH = ['basic', 'basic-raw', 'body']
const OPTIONS = [
  'clientAuth',
  'scope',
  'audience',
  'resource',
  'params',
  'defaultLifetimeMs',
  'propagationMs',
  'tls',
  'proxy',
  'allowInsecureHttp',
]
const TLS = ['ca', 'cert', 'key']
// The request's own parameters; a second one would make it ambiguous (RFC 6749 §3.2).
const RESERVED = [
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'scope',
  'audience',
  'resource',
]
const DAY = 86_400_000

/** Where tokens come from. Printing one shows its endpoint, never a key or a proxy's password. */
class Provider {
  #settings

  constructor(settings) {
    this.#settings = settings
    Object.defineProperty(this, PROVIDER, { value: () => settings })
    Object.freeze(this)
  }

  get tokenUrl() {
    return this.#settings.endpoint.tokenUrl
  }

  toJSON() {
    return { tokenUrl: this.tokenUrl, clientAuth: this.#settings.endpoint.clientAuth }
  }

  [inspect.custom](_depth, options) {
    return `Provider ${inspect(this.toJSON(), options)}`
  }
}

/** The endpoint and transport of a provider, also of one from another copy of the package. */
function settingsOf(value) {
  return isObject(value) && typeof value[PROVIDER] === 'function' ? value[PROVIDER]() : undefined
}

/** Any OAuth 2.0 authorization server. */
function oauth2(options) {
  const problems = new Problems()
  if (!isObject(options)) {
    problems.expected('oauth2(options)', 'an object', options)
    problems.throwIfAny(undefined, oauth2)
  }
  problems.unknownKeys(options, ['tokenUrl', ...OPTIONS], '')
  return build(problems, { ...options }, oauth2)
}

/** Genesys Cloud, by region (`sa_east_1`) or host (`login.mypurecloud.ie`). */
function genesysCloud(options) {
  const problems = new Problems()
  if (!isObject(options)) {
    problems.expected('genesysCloud(options)', 'an object', options)
    problems.throwIfAny(undefined, genesysCloud)
  }
  problems.unknownKeys(options, ['region', 'host', ...OPTIONS], '')
  const { region, host, ...rest } = options
  if ((region === undefined) === (host === undefined)) {
    problems.add('region', 'or host must be given, one of them')
    problems.throwIfAny(undefined, genesysCloud)
  }
  const [option, given] = region === undefined ? ['host', host] : ['region', region]
  if (!isText(given)) {
    problems.expected(option, 'a string such as "sa_east_1" or "login.mypurecloud.ie"', given)
    problems.throwIfAny(undefined, genesysCloud)
  }
  const found = JSON.parse(native.genesysHost(given))
  if (found.error) {
    problems.add(option, `${found.error}, got ${inspect(given)}`)
    problems.throwIfAny(undefined, genesysCloud)
  }
  if (found.corrected) {
    process.emitWarning(
      `Genesys Cloud issues tokens at ${found.host}, not at ${given}; the former is used.`,
      {
        code: 'OAUTH_ROTOR_API_HOST',
        detail: `Pass genesysCloud({ host: '${found.host}' }) to get rid of this warning.`,
      },
    )
  }
  const preset = { clientAuth: 'basic-raw', propagationMs: 10_000, ...defined(rest) }
  return build(problems, { ...preset, tokenUrl: `https://${found.host}/oauth/token` }, genesysCloud)
}

/** PagerDuty's app tokens; `scope` is required there: `as_account-us.<subdomain> incidents.read`. */
function pagerDuty(options) {
  const problems = new Problems()
  if (!isObject(options)) {
    problems.expected('pagerDuty(options)', 'an object', options)
    problems.throwIfAny(undefined, pagerDuty)
  }
  problems.unknownKeys(options, OPTIONS, '')
  if (options.scope === undefined) {
    problems.add('scope', 'is required by PagerDuty, such as "as_account-us.<subdomain> incidents.read"')
  }
  const preset = { clientAuth: 'body', ...defined(options) }
  return build(problems, { ...preset, tokenUrl: 'https://identity.pagerduty.com/oauth/token' }, pagerDuty)
}

function build(problems, options, above) {
  const {
    clientAuth = 'basic',
    scope,
    audience,
    resource,
    params,
    tls,
    proxy,
    allowInsecureHttp = false,
  } = options
  const { defaultLifetimeMs = 300_000, propagationMs = 0 } = options

  if (typeof allowInsecureHttp !== 'boolean') {
    problems.expected('allowInsecureHttp', 'true or false', allowInsecureHttp)
  }
  const tokenUrl = checkTokenUrl(problems, options.tokenUrl, allowInsecureHttp === true)
  if (!CLIENT_AUTH.includes(clientAuth)) {
    problems.add('clientAuth', `must be one of ${CLIENT_AUTH.map((name) => `'${name}'`).join(', ')}`)
  }
  for (const [option, value] of Object.entries({ scope, audience })) {
    if (value !== undefined && !isText(value)) problems.expected(option, 'a string that is not empty', value)
  }
  const endpoint = {
    tokenUrl,
    clientAuth,
    scope,
    audience,
    resource: checkResource(problems, resource),
    params: checkParams(problems, params),
    defaultLifetimeMs: checkMillis(problems, 'defaultLifetimeMs', defaultLifetimeMs, 1000, 365 * DAY),
    propagationMs: checkMillis(problems, 'propagationMs', propagationMs, 0, 3_600_000),
  }
  const settings = { endpoint, tls: checkTls(problems, tls), proxy: checkProxy(problems, proxy) }
  problems.throwIfAny(undefined, above)
  return new Provider(settings)
}

function checkTokenUrl(problems, value, allowInsecureHttp) {
  const takes = 'the https:// address of the token endpoint'
  if (!isText(value)) return problems.expected('tokenUrl', takes, value)
  if (!URL.canParse(value)) return problems.expected('tokenUrl', takes, value)
  const url = new URL(value)
  if (url.username || url.password)
    problems.add('tokenUrl', 'must not hold a user or a password; see clientAuth')
  if (url.hash) problems.add('tokenUrl', 'must not have a fragment (RFC 6749 §3.2)')
  if (url.protocol === 'http:') {
    if (!isLoopback(url.hostname) && !allowInsecureHttp) {
      problems.add(
        'tokenUrl',
        'must be https: the client secret would travel in the clear (allowInsecureHttp: true permits it)',
      )
    }
  } else if (url.protocol !== 'https:') {
    problems.add('tokenUrl', `must be https, got ${url.protocol}//`)
  }
  return url.href
}

function isLoopback(hostname) {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

function checkResource(problems, value) {
  if (value === undefined) return []
  const list = Array.isArray(value) ? value : [value]
  for (const resource of list) {
    // RFC 8707 §2: an absolute URI without a fragment.
    if (!isText(resource) || !URL.canParse(resource) || resource.includes('#')) {
      problems.expected('resource', 'an absolute URI without a fragment, or an array of them', resource)
    }
  }
  return list
}

function checkParams(problems, value) {
  if (value === undefined) return []
  if (!isObject(value)) {
    problems.expected('params', 'an object of strings', value)
    return []
  }
  const pairs = Object.entries(value).filter(([, text]) => text !== undefined)
  for (const [name, text] of pairs) {
    if (RESERVED.includes(name))
      problems.add(`params.${name}`, 'is set by oauth-rotor; use the option for it')
    else if (typeof text !== 'string') problems.expected(`params.${name}`, 'a string', text)
  }
  return pairs
}

function checkTls(problems, value) {
  if (value === undefined) return { ca: [] }
  if (!isObject(value)) {
    problems.expected('tls', 'an object { ca, cert, key }', value)
    return { ca: [] }
  }
  problems.unknownKeys(value, TLS, 'tls.')
  const text = (option, pem) => {
    const string = ArrayBuffer.isView(pem) ? Buffer.from(pem).toString('utf8') : pem
    if (!isText(string)) problems.expected(option, 'PEM text, a string or a Buffer', pem)
    return string
  }
  const ca = value.ca === undefined ? [] : Array.isArray(value.ca) ? value.ca : [value.ca]
  const one = (name) => (value[name] === undefined ? undefined : text(`tls.${name}`, value[name]))
  return { ca: ca.map((pem) => text('tls.ca', pem)), cert: one('cert'), key: one('key') }
}

/** `undefined` means: as the environment says; `false`: none. */
function checkProxy(problems, value) {
  if (value === undefined || value === false) return value
  const url = isText(value) && URL.canParse(value) ? new URL(value) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    problems.expected('proxy', 'the http:// or https:// address of a proxy, or false for none', value)
  }
  return value
}

function checkMillis(problems, option, value, least, most) {
  if (!Number.isFinite(value) || value < least || value > most) {
    problems.expected(option, `a number of milliseconds from ${least} to ${most}`, value)
  }
  return Math.round(value)
}

function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

module.exports = { oauth2, genesysCloud, pagerDuty, settingsOf, checkMillis }
