'use strict'

const { attempt, copyOfObject, describeHidden } = require('./check')
const { absolute, branded, fail, kindOf } = require('./sources')

const BRAND = Symbol.for('oauth-rotor.sink')

/** What will go wrong the next time, too. */
const PERMANENT = ['EROFS', 'EBUSY', 'EACCES', 'EPERM']

/** Two variables of a dotenv file. A relative path is resolved now. */
function envFile(file, names) {
  const path = absolute(file, 'envFile', envFile)
  const { clientId, clientSecret, ...others } = copyOfObject(names) ?? {}
  const isName = (name) => typeof name === 'string' && /^[\w.-]{1,128}$/.test(name)
  const areNames = isName(clientId) && isName(clientSecret) && clientId !== clientSecret
  if (!areNames || Object.keys(others).length > 0) {
    const usage = "{ clientId: 'CLIENT_ID', clientSecret: 'CLIENT_SECRET' }"
    const what = 'the names of two variables, of letters, digits, _, . and -'
    fail('envFile', `takes a path and ${usage}: ${what}`, envFile)
  }
  return branded(BRAND, 'env-file', { kind: 'envFile', path, clientId, clientSecret })
}

/** A file that holds the secret and nothing else. A relative path is resolved now. */
function secretFile(file) {
  const path = absolute(file, 'secretFile', secretFile)
  return branded(BRAND, 'secret-file', { kind: 'secretFile', path })
}

/** Reads the option `persist` as the native part takes it; a function is added to `sinks`. */
function parseSink(value, place, sinks) {
  if (value === undefined) return undefined
  if (typeof value === 'function') return { kind: 'js', index: sinks.push(value) - 1 }
  const detail = attempt(() => value[BRAND]?.())
  if (detail !== undefined) return { ...detail }
  const what = 'envFile(path, { clientId, clientSecret }), secretFile(path) or a function'
  return place.fail(`takes ${what}, got ${describeHidden(value)}.`)
}

/**
 * Has a user's function keep a credential. Never throws, and passes on nothing of an error but its
 * kind.
 */
async function runSink(sink, credential) {
  try {
    await sink(credential)
    return { outcome: 'done' }
  } catch (error) {
    const isPermanent = PERMANENT.includes(attempt(() => error.code))
    return { outcome: isPermanent ? 'impossible' : 'failed', message: kindOf(error) }
  }
}

/**
 * Writes a credential to the variables that it came from. `environment()` is asked each time, as for
 * reading; one that cannot be written stays as it is.
 */
function writeVariables(variables, credential, environment) {
  for (const field of ['clientId', 'clientSecret']) {
    const name = variables?.[field]
    if (name === undefined) continue
    attempt(() => {
      environment()[name] = credential[field]
    })
  }
}

module.exports = { envFile, secretFile, parseSink, runSink, writeVariables }
