'use strict'

const { copyOfObject, describe } = require('../check')
const { isClock } = require('../clock')
const { checkMillis, checkObject } = require('./check')

/** The longest that a timer waits. */
const LONGEST_WAIT_MS = 2_147_483_647

const STATES = ['active', 'inactive', 'disabled']
const GRANT_TYPES = ['CLIENT-CREDENTIALS', 'CODE', 'TOKEN', 'SAML2-BEARER', 'PASSWORD']

const duration = (value, name) => checkMillis(value, name, { max: LONGEST_WAIT_MS })
const flag = takes('true or false', (value) => typeof value === 'boolean')
const word = (...words) => takes(words.map((one) => `'${one}'`).join(', '), (value) => words.includes(value))

/** What can be set about a server: its default, and what it takes. */
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
  rateLimit: [
    null,
    takes('{ burst, perMs }, whole numbers from 1, or null', (value) => {
      return value === null || (isCount(value?.burst) && isCount(value.perMs))
    }),
  ],
  dropResetResponse: [false, flag],
  clockSkewMs: [0, takes('a whole number of milliseconds', Number.isSafeInteger)],
  expiresIn: ['number', word('number', 'string', 'absent')],
  tokenType: ['bearer', takes('a string', (value) => typeof value === 'string')],
  outage: [
    false,
    takes("true, false, 'html', or a status from 400 to 599", (value) => {
      return typeof value === 'boolean' || value === 'html' || isErrorStatus(value)
    }),
  ],
  auth: ['basic-raw', word('basic-raw', 'basic', 'body', 'any')],
  wrongSecretStatus: [400, takes('400, 401 or 403', (value) => [400, 401, 403].includes(value))],
  scopes: [null, checkScopes],
  resourceStatus: [
    null,
    takes('a status from 400 to 599, or null', (value) => value === null || isErrorStatus(value)),
  ],
}

/** Checks knobs; throws a TypeError before any is changed. Those that are undefined are left out. */
function checkKnobs(given, what, besides = []) {
  const knobs = checkObject(given, [...Object.keys(KNOBS), ...besides], what)
  for (const [name, value] of Object.entries(knobs)) {
    if (value === undefined) delete knobs[name]
    else if (name in KNOBS) knobs[name] = KNOBS[name][1](value, name)
  }
  return knobs
}

/** All knobs and the clock of a new server. */
function parseOptions(options) {
  const { clock, ...given } = checkKnobs(options, 'fakeAuthorizationServer(options)', ['clock'])
  if (clock !== undefined && !isClock(clock)) {
    throw new TypeError(`clock takes what createClock() returns, got ${describe(clock)}.`)
  }
  const defaults = Object.fromEntries(Object.entries(KNOBS).map(([name, [value]]) => [name, value]))
  return { clock, knobs: { ...defaults, clients: checkClients(defaults.clients), ...given } }
}

/** `{ [id]: secret | secrets | { secrets, state, grantType } }`, in its longest form. */
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

const ANSWER = ['status', 'headers', 'body', 'delayMs', 'destroy']

/** An answer of a test's own. */
function checkAnswer(value) {
  const answer = checkObject(value, ANSWER, 'respond(answer)')
  const { status, delayMs } = answer
  if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new TypeError(`respond({ status }) takes a status from 200 to 599, got ${describe(status)}.`)
  }
  if (delayMs !== undefined) duration(delayMs, 'respond({ delayMs })')
  if (status === undefined && (answer.body !== undefined || answer.headers !== undefined)) answer.status = 200
  return answer
}

function takes(what, fits) {
  return (value, name) => {
    if (fits(value)) return value
    throw new TypeError(`${name} takes ${what}, got ${describe(value)}.`)
  }
}

function isCount(value) {
  return Number.isSafeInteger(value) && value >= 1
}

function isErrorStatus(value) {
  return Number.isInteger(value) && value >= 400 && value <= 599
}

module.exports = { checkAnswer, checkKnobs, checkSecrets, parseOptions }
