'use strict'

const { copyOfObject, describe } = require('../options/values')
const { checkMillis, checkObject } = require('../options/plain')
const { duration, flag, isCount, isErrorStatus, outage, rateLimit, takes, word } = require('./knobs')

const STATES = ['active', 'inactive', 'disabled']
const GRANT_TYPES = ['CLIENT-CREDENTIALS', 'CODE', 'TOKEN', 'SAML2-BEARER', 'PASSWORD']

/** The knobs of an authorization server, each with its default and its check. */
const KNOBS = {
  clients: [{ app: 'secret' }, checkClients],
  lifetimeMs: [86_400_000, (value, name) => checkMillis(value, name, { min: 1 })],
  latencyMs: [0, duration],
  oldSecretGraceMs: [0, checkMillis],
  newSecretPropagationMs: [0, checkMillis],
  negativeCacheMs: [0, checkMillis],
  tokensSurviveRotation: [true, flag],
  maxLiveTokens: [
    Infinity,
    takes('a whole number from 1, or Infinity', (value) => isCount(value) || value === Infinity),
  ],
  idleTimeoutMs: [
    Infinity,
    takes('a whole number of milliseconds from 1, or Infinity', (value) => {
      return isCount(value) || value === Infinity
    }),
  ],
  rateLimit: [null, rateLimit],
  dropResetResponse: [false, flag],
  clockSkewMs: [0, takes('a whole number of milliseconds', Number.isSafeInteger)],
  expiresIn: ['number', word('number', 'string', 'absent')],
  tokenType: ['bearer', takes('a string', (value) => typeof value === 'string')],
  outage: [false, outage],
  auth: ['basic-raw', word('basic-raw', 'basic', 'body', 'any')],
  wrongSecretStatus: [400, takes('400, 401 or 403', (value) => [400, 401, 403].includes(value))],
  scopes: [null, checkScopes],
  resourceStatus: [
    null,
    takes('a status from 400 to 599, or null', (value) => value === null || isErrorStatus(value)),
  ],
}

/** Expands `{ [id]: secret | secrets | { secrets, state, grantType } }` to a list of clients. */
function checkClients(value) {
  const clients = copyOfObject(value)
  if (!clients)
    throw new TypeError(`clients takes an object of secrets by client id, got ${describe(value)}.`)
  return Object.entries(clients).map(([id, client]) => {
    const place = `clients['${id}']`
    const isShort = typeof client === 'string' || Array.isArray(client)
    const given = isShort
      ? { secrets: client }
      : checkObject(client, ['secrets', 'state', 'grantType'], place)
    const { secrets = [], state = 'active', grantType = 'CLIENT-CREDENTIALS' } = given
    return {
      id,
      secrets: checkSecrets(secrets, `${place}.secrets`),
      state: word(...STATES)(state, `${place}.state`),
      grantType: word(...GRANT_TYPES)(grantType, `${place}.grantType`),
    }
  })
}

function checkSecrets(value, name) {
  const secrets = typeof value === 'string' ? [value] : value
  if (Array.isArray(secrets) && secrets.every((secret) => typeof secret === 'string')) return [...secrets]
  throw new TypeError(`${name} takes a secret or an array of them, got ${describe(value)}.`)
}

/** The names of scopes (RFC 6749 §3.3), or null for any. */
function checkScopes(value, name) {
  if (value === null) return value
  const isScope = (scope) => typeof scope === 'string' && /^[!#-[\]-~]+$/.test(scope)
  if (Array.isArray(value) && value.every(isScope)) return [...value]
  throw new TypeError(`${name} takes an array of scopes without blanks, or null, got ${describe(value)}.`)
}

module.exports = { KNOBS, checkSecrets }
