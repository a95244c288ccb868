'use strict'

const { Problems, isObject, isText } = require('./check')
const native = require('./load-native')
const { settingsOf } = require('./providers')
const { fromEnvironment } = require('./proxy')
const { isSource, readCallback, readPair, readVariable, trimLineBreak } = require('./sources')

const OPTIONS = [
  'name',
  'provider',
  'credentials',
  'refreshBeforeMs',
  'jitterRatio',
  'expiryMarginMs',
  'maxTokenAgeMs',
  'minRunwayMs',
  'acquireTimeoutMs',
  'requestTimeoutMs',
  'sourcePollMs',
  'timeZone',
  'strict',
]
const CREDENTIAL = ['label', 'clientId', 'clientSecret', 'optional']
const DAY = 86_400_000
const YEAR = 366 * DAY

/** Milliseconds: [default, least, most]. */
const DURATIONS = {
  refreshBeforeMs: [undefined, 0, YEAR],
  expiryMarginMs: [undefined, 0, DAY],
  maxTokenAgeMs: [undefined, 1000, YEAR],
  minRunwayMs: [undefined, 0, YEAR],
  acquireTimeoutMs: [5000, 1, 600_000],
  requestTimeoutMs: [10_000, 1, 600_000],
  sourcePollMs: [10_000, 100, DAY],
}

/**
 * Checks all options at once and turns them into what the native part takes.
 *
 * @returns {{ name?: string, timeZone: string, strict: boolean,
 *   sources: { read: () => object | Promise<object>, sync: boolean }[], native: object }}
 */
function parseOptions(options, above = parseOptions) {
  const problems = new Problems()
  if (!isObject(options)) {
    problems.expected('options', 'an object', options)
    problems.throwIfAny(undefined, above)
  }
  problems.unknownKeys(options, OPTIONS, '')

  const { name, jitterRatio = 0.1, strict = 'AWS_LAMBDA_FUNCTION_NAME' in process.env } = options
  if (name !== undefined && !(isText(name) && name.length <= 256)) {
    problems.expected('name', 'a string of 1 to 256 characters', name)
  }
  if (!(typeof jitterRatio === 'number' && jitterRatio >= 0 && jitterRatio <= 1)) {
    problems.expected('jitterRatio', 'a number from 0 to 1', jitterRatio)
  }
  if (typeof strict !== 'boolean') problems.expected('strict', 'true or false', strict)
  const durations = parseDurations(problems, options)
  const timeZone = parseTimeZone(problems, options.timeZone)
  const { endpoint, tls, proxy } = parseProvider(problems, options.provider)
  const { entries, sources } = parseCredentials(problems, options.credentials)
  problems.throwIfAny(undefined, above)

  const initial = sources.map(({ read, sync }) => (sync ? read() : null))
  reportMissing(problems, entries, sources, initial)
  problems.throwIfAny(undefined, above)

  const { requestTimeoutMs, ...policy } = durations
  const environment = fromEnvironment(process.env, endpoint.tokenUrl, proxy)
  return {
    name,
    timeZone,
    strict,
    sources,
    native: {
      name,
      endpoint,
      transport: { ...tls, ...environment, requestTimeoutMs },
      policy: { ...policy, jitterRatio },
      entries,
      initial,
    },
  }
}

function parseDurations(problems, options) {
  const durations = {}
  for (const [option, [fallback, least, most]] of Object.entries(DURATIONS)) {
    const value = options[option] === undefined ? fallback : options[option]
    if (value === undefined) continue
    if (!Number.isFinite(value) || value < least || value > most) {
      problems.expected(option, `a number of milliseconds from ${least} to ${most}`, value)
    }
    durations[option] = Math.round(value)
  }
  return durations
}

function parseTimeZone(problems, value) {
  if (value === undefined) {
    const system = Intl.DateTimeFormat().resolvedOptions().timeZone
    return system && native.isTimeZone(system) ? system : 'UTC'
  }
  if (!isText(value) || !native.isTimeZone(value)) {
    problems.expected('timeZone', 'an IANA time zone such as "America/Sao_Paulo"', value)
  }
  return value
}

function parseProvider(problems, value) {
  const settings = settingsOf(value)
  if (settings) return settings
  problems.expected('provider', 'made by genesysCloud(…), pagerDuty(…) or oauth2(…)', value)
  return {}
}

/** Every entry of the list, and the JavaScript sources that they refer to by index. */
function parseCredentials(problems, value) {
  const list = Array.isArray(value) ? value : [value]
  const sources = []
  const index = (read, sync, variables) => sources.push({ read, sync, variables }) - 1
  if (list.length === 0) problems.add('credentials', 'must hold at least one credential')
  const entries = list.map((entry, position) => {
    const path = Array.isArray(value) ? `credentials[${position}]` : 'credentials'
    return parseEntry(problems, entry, path, index)
  })
  return { entries, sources }
}

function parseEntry(problems, entry, path, index) {
  const whole = (source) => ({ optional: false, source })
  if (typeof entry === 'function') {
    return whole({ kind: 'js', index: index(() => readCallback(entry, false), false) })
  }
  if (isSource(entry)) {
    const { kind, directory, clientId, clientSecret, idVariable, secretVariable } = entry
    if (kind === 'directory') return whole({ kind, directory, clientId, clientSecret })
    if (kind === 'env-pair') {
      const variables = [idVariable, secretVariable]
      return whole({ kind: 'js', index: index(() => readPair(entry), true, variables) })
    }
    problems.add(path, 'is a source of one field; a credential needs clientId and clientSecret')
    return whole({})
  }
  if (!isObject(entry)) {
    problems.expected(
      path,
      '{ clientId, clientSecret }, a source such as fromEnv(…), or a list of them',
      entry,
    )
    return whole({})
  }
  problems.unknownKeys(entry, CREDENTIAL, `${path}.`)
  const { label, optional = false, clientId, clientSecret } = entry
  if (label !== undefined && !(isText(label) && label.length <= 256)) {
    problems.expected(`${path}.label`, 'a string of 1 to 256 characters', label)
  }
  if (typeof optional !== 'boolean') problems.expected(`${path}.optional`, 'true or false', optional)
  const field = (name, given) => parseField(problems, given, `${path}.${name}`, optional === true, index)
  return {
    label,
    optional,
    source: {
      kind: 'fields',
      clientId: field('clientId', clientId),
      clientSecret: field('clientSecret', clientSecret),
    },
  }
}

function parseField(problems, value, path, optional, index) {
  if (typeof value === 'function') {
    return { kind: 'js', index: index(() => readCallback(value, true), false) }
  }
  if (isSource(value)) {
    if (value.kind === 'file') return { kind: 'file', path: value.path }
    if (value.kind === 'env') {
      return { kind: 'js', index: index(() => readVariable(value.variable), true, [value.variable]) }
    }
    problems.add(path, 'is a source of a whole credential; a field needs fromEnv(variable) or fromFile(path)')
    return { kind: 'value', value: '' }
  }
  // An optional credential may be given as `process.env.NEXT_SECRET`, which is undefined until there is one.
  if (optional && (value === undefined || value === '')) return { kind: 'value', value: '' }
  if (!isText(value)) {
    problems.expected(path, 'a string that is not empty, or a source such as fromEnv(…)', value)
    return { kind: 'value', value: '' }
  }
  const text = trimLineBreak(value)
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) problems.add(path, 'must not hold control characters')
  return { kind: 'value', value: text }
}

/** A variable that is not set is a mistake of the deployment, told before anything starts. */
function reportMissing(problems, entries, sources, initial) {
  for (const [position, { optional, source }] of entries.entries()) {
    if (optional) continue
    for (const part of [source, source.clientId, source.clientSecret]) {
      if (part?.kind !== 'js' || initial[part.index]?.kind !== 'empty') continue
      const missing = sources[part.index].variables.filter((name) => !process.env[name])
      const path = entries.length === 1 ? 'credentials' : `credentials[${position}]`
      problems.add(path, `needs the environment variable ${missing.join(' and ')}, which is not set or empty`)
    }
  }
}

module.exports = { parseOptions }
