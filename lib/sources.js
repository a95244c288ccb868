'use strict'

const { inspect } = require('node:util')
const { Problems, describe, isObject, isText } = require('./check')

const SOURCE = Symbol.for('oauth-rotor.source')

/** Where a credential or a part of one is read from. It holds no value, only the place. */
class Source {
  constructor(kind, place) {
    Object.assign(this, { kind, ...place })
    Object.defineProperty(this, SOURCE, { value: true })
    Object.freeze(this)
  }

  [inspect.custom](_depth, options) {
    const { kind, ...place } = this
    return `Source:${kind} ${inspect(place, options)}`
  }
}

function isSource(value) {
  return isObject(value) && value[SOURCE] === true
}

/**
 * Environment variables: two for a pair of client id and secret, one for a single field.
 *
 * They are read again every `sourcePollMs`, so that a program that changes `process.env` is noticed.
 */
function fromEnv(idVariable, secretVariable) {
  const problems = new Problems()
  for (const [position, name] of [idVariable, secretVariable].entries()) {
    if (position === 1 && name === undefined) continue
    if (!isText(name)) problems.expected('fromEnv', 'called with names of environment variables', name)
  }
  problems.throwIfAny('ERR_INVALID_ARGUMENT', fromEnv)
  return secretVariable === undefined
    ? new Source('env', { variable: idVariable })
    : new Source('env-pair', { idVariable, secretVariable })
}

/** A file that holds one field and nothing else; one line break at its end is not part of it. */
function fromFile(path) {
  const problems = new Problems()
  if (!isText(path)) problems.expected('fromFile', 'called with the path of a file', path)
  problems.throwIfAny('ERR_INVALID_ARGUMENT', fromFile)
  return new Source('file', { path })
}

/** A directory with one file for the client id and one for the secret, such as a mounted Kubernetes secret. */
function fromDirectory(directory, files) {
  const problems = new Problems()
  if (!isText(directory)) problems.expected('fromDirectory', 'called with the path of a directory', directory)
  if (!isObject(files)) {
    problems.expected(
      'fromDirectory',
      "called with { clientId: 'file name', clientSecret: 'file name' }",
      files,
    )
  } else {
    problems.unknownKeys(files, ['clientId', 'clientSecret'], 'fromDirectory: ')
    for (const field of ['clientId', 'clientSecret']) {
      const isName = isText(files[field]) && !/[/\\]/.test(files[field]) && !/^\.\.?$/.test(files[field])
      if (!isName)
        problems.expected(`fromDirectory: ${field}`, 'the name of a file in that directory', files[field])
    }
  }
  problems.throwIfAny('ERR_INVALID_ARGUMENT', fromDirectory)
  return new Source('directory', { directory, clientId: files.clientId, clientSecret: files.clientSecret })
}

// How the native part asks for a JavaScript source: `read` gives a reading, or a promise of one, and never throws.

/** One variable, as a field. */
function readVariable(variable) {
  const value = process.env[variable]
  return value ? { kind: 'text', value: trimLineBreak(value) } : { kind: 'empty' }
}

/** Two variables, as a credential. */
function readPair({ idVariable, secretVariable }) {
  const [id, secret] = [readVariable(idVariable), readVariable(secretVariable)]
  if (id.kind === 'empty' || secret.kind === 'empty') return { kind: 'empty' }
  return { kind: 'credentials', list: [{ clientId: id.value, clientSecret: secret.value }] }
}

/** A user's callback, for a field (`text`) or for whole credentials. Its errors' texts may hold secrets and go nowhere. */
async function readCallback(callback, wantsText) {
  try {
    const value = await callback()
    if (value === undefined || value === null || value === '') return { kind: 'empty' }
    return wantsText ? readingOfText(value) : readingOfCredentials(value)
  } catch (error) {
    const name = error?.code ?? error?.name
    const shown = typeof name === 'string' && /^\w{1,64}$/.test(name) ? ` (${name})` : ''
    return { kind: 'error', message: `failed: the callback threw an error${shown}` }
  }
}

function readingOfText(value) {
  if (typeof value === 'string') return { kind: 'text', value: trimLineBreak(value) }
  return { kind: 'error', message: `yields ${describe(value)} where a string is needed` }
}

function readingOfCredentials(value) {
  const list = Array.isArray(value) ? value : [value]
  const wrong = list.find((one) => !isObject(one) || !isText(one.clientId) || !isText(one.clientSecret))
  if (wrong !== undefined || list.some((one) => one === undefined)) {
    return {
      kind: 'error',
      message: 'yields something other than { clientId, clientSecret } with two strings',
    }
  }
  return {
    kind: 'credentials',
    list: list.map(({ label, clientId, clientSecret }) => ({
      label: isText(label) ? label : undefined,
      clientId: trimLineBreak(clientId),
      clientSecret: trimLineBreak(clientSecret),
    })),
  }
}

function trimLineBreak(text) {
  return text.replace(/\r?\n$/, '')
}

module.exports = {
  fromEnv,
  fromFile,
  fromDirectory,
  isSource,
  readVariable,
  readPair,
  readCallback,
  trimLineBreak,
}
