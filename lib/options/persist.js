'use strict'

const fs = require('node:fs')
const nodePath = require('node:path')

const { codeOf, kindOf } = require('./foreign-errors')
const { absolute, branded, fail } = require('./makers')
const { attempt, copyOfObject, describeHidden } = require('./values')
const { VARIABLES, isVariable, shown } = require('./variables')

const BRAND = Symbol.for('oauth-rotor.persist')

/** Errors that will not go away by themselves. */
const PERMANENT = ['EROFS', 'EBUSY', 'EACCES', 'EPERM']

/**
 * Two variables of a dotenv file, or only the secret's if the client id is fixed. A relative path
 * is resolved at once.
 */
function envFile(file, names) {
  const path = absolute(file, 'envFile', envFile)
  const { clientId, clientSecret, ...others } = copyOfObject(names) ?? {}
  const areNames =
    (clientId === undefined || isVariable(clientId)) && isVariable(clientSecret) && clientId !== clientSecret
  if (!areNames || Object.keys(others).length > 0) {
    const usage =
      "{ clientId: 'CLIENT_ID', clientSecret: 'CLIENT_SECRET' } (without clientId where that is fixed)"
    fail('envFile', `takes a path and ${usage}: ${VARIABLES}`, envFile)
  }
  return branded(BRAND, 'env-file', variablesInFile({ path, clientId, clientSecret }))
}

/** Variables of a dotenv file, as the native part takes them. */
function variablesInFile({ path, clientId, clientSecret }) {
  return { kind: 'envFile', path, ...(clientId === undefined ? {} : { clientId }), clientSecret }
}

/** A file that holds only the secret. A relative path is resolved at once. */
function secretFile(file) {
  const path = absolute(file, 'secretFile', secretFile)
  return branded(BRAND, 'secret-file', { kind: 'secretFile', path })
}

/**
 * Parses the option `persist` into the form that the native part takes. Adds a function to
 * `functions`. False means that nothing is persisted.
 */
function parsePersist(value, place, functions) {
  if (value === undefined || value === false) return value
  if (typeof value === 'function') return { kind: 'js', index: functions.push(value) - 1 }
  const detail = attempt(() => value[BRAND]?.())
  if (detail !== undefined) {
    checkDirectory(nodePath.dirname(detail.path), place)
    return { ...detail }
  }
  const what = 'envFile(path, { clientId, clientSecret }), secretFile(path), a function or false'
  return place.fail(`takes ${what}, got ${describeHidden(value)}.`)
}

/**
 * Reports a missing directory: a write creates the file, but not its directory. The first write
 * reports any other problem.
 */
function checkDirectory(directory, place) {
  const problem = problemOf(directory)
  if (problem !== undefined) {
    place.fail(
      `writes to a file in ${directory}, which ${problem}. Make that directory, or correct the path.`,
    )
  }
}

function problemOf(directory) {
  try {
    return fs.statSync(directory).isDirectory() ? undefined : 'is not a directory'
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(error.code) ? 'does not exist' : undefined
  }
}

/** Calls a user's `persist` function. Never rejects, and passes on only the kind of an error. */
async function callPersist(persist, credential, signal) {
  try {
    await persist(credential, { signal })
    return { outcome: 'done' }
  } catch (error) {
    const isPermanent = PERMANENT.includes(codeOf(error))
    return { outcome: isPermanent ? 'impossible' : 'failed', message: kindOf(error) }
  }
}

/**
 * Writes a credential to the variables that it came from. Calls `environment()` each time, as
 * reading does. A variable that cannot be written stays as it is.
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

/**
 * Returns the warning for variables that differ from the file that takes precedence over them,
 * after the file's credential was accepted.
 */
function staleVariables(entry, { clientId, clientSecret, file }) {
  const names = [clientId, clientSecret].filter((name) => name !== undefined).map(shown)
  const source = file.kind === 'envFile' ? 'fromEnvFile()' : 'fromFile()'
  return (
    `credentials[${entry}]: the environment has another credential (${names.join(', ')}) than ${file.path}, ` +
    "where persist writes new secrets. The file's was accepted and is used; the environment's is a fallback. " +
    'If the file is newer, restart with its values, remove the variables where something loads them from the ' +
    `file (dotenv, --env-file), or read the file itself with ${source}. If the variables are newer, change or ` +
    'delete the file.'
  )
}

module.exports = {
  envFile,
  variablesInFile,
  secretFile,
  parsePersist,
  callPersist,
  staleVariables,
  writeVariables,
}
