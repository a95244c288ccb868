'use strict'

const { absolute, branded, fail } = require('./makers')
const { attempt, copyOfObject, describeHidden } = require('./values')
const { VARIABLES, isVariable } = require('./variables')

const BRAND = Symbol.for('oauth-rotor.source')

/** A source: where a value is read from. */
function source(kind, detail) {
  return branded(BRAND, kind, detail)
}

/**
 * Returns the details of a source of this package, `{ kind, … }`, or undefined for any other value.
 */
function sourceDetail(value) {
  return attempt(() => value[BRAND]?.())
}

/**
 * One variable for a field, or two for a credential. They are read when a manager is created, and
 * again while it runs.
 */
function fromEnv(...names) {
  if (names.length !== 1 && names.length !== 2) {
    fail('fromEnv', 'takes the name of one variable (a field) or of two (client id, client secret)', fromEnv)
  }
  for (const name of names) {
    if (typeof name !== 'string' || name === '' || /[=\0]/.test(name)) {
      const got =
        typeof name === 'string' && name !== '' ? 'a string that cannot be one' : describeHidden(name)
      const hint = "Give the name, not the value: fromEnv('CLIENT_ID'), not fromEnv(process.env.CLIENT_ID)"
      fail('fromEnv', `takes names of environment variables, got ${got}. ${hint}`, fromEnv)
    }
  }
  return names.length === 1
    ? source('env', { kind: 'env', variable: names[0] })
    : source('env-pair', { kind: 'env-pair', clientId: names[0], clientSecret: names[1] })
}

/** A file with one field. A relative path is resolved at once. */
function fromFile(file) {
  return source('file', { kind: 'file', path: absolute(file, 'fromFile', fromFile) })
}

/**
 * Two files in one directory, such as a mounted Kubernetes secret. They are read together, so that
 * id and secret always match.
 */
function fromDirectory(directory, names) {
  const { clientId, clientSecret, ...others } = copyOfObject(names) ?? {}
  for (const name of [clientId, clientSecret]) {
    const isName =
      typeof name === 'string' && name !== '' && !['.', '..'].includes(name) && !/[/\\\0]/.test(name)
    if (!isName || Object.keys(others).length > 0) {
      const usage = "{ clientId: 'client-id', clientSecret: 'client-secret' }, each the name of a file in it"
      fail('fromDirectory', `takes a directory and ${usage}`, fromDirectory)
    }
  }
  const resolved = absolute(directory, 'fromDirectory', fromDirectory)
  return source('directory', { kind: 'directory', directory: resolved, clientId, clientSecret })
}

/**
 * A dotenv file with both fields or one of them. Both are read at the same time. A relative path is
 * resolved at once.
 */
function fromEnvFile(file, names) {
  const absolutePath = absolute(file, 'fromEnvFile', fromEnvFile)
  if (isVariable(names)) {
    return source('env-file', { kind: 'env-file', path: absolutePath, variable: names })
  }
  const { clientId, clientSecret, ...others } = copyOfObject(names) ?? {}
  const areNames = isVariable(clientId) && isVariable(clientSecret) && clientId !== clientSecret
  if (!areNames || Object.keys(others).length > 0) {
    const usage = "{ clientId: 'CLIENT_ID', clientSecret: 'CLIENT_SECRET' }, or 'CLIENT_SECRET' for one field"
    fail('fromEnvFile', `takes a path and ${usage}: ${VARIABLES}`, fromEnvFile)
  }
  return source('env-file-pair', { kind: 'env-file-pair', path: absolutePath, clientId, clientSecret })
}

module.exports = { fromEnv, fromFile, fromDirectory, fromEnvFile, sourceDetail }
