'use strict'

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { Writable } = require('node:stream')

const pino = require('pino')

const { CHANGES, EVENTS, PROBLEMS, logEvents, logProblems } = require('../examples/logging')
const { EVENTS: NAMES } = require('../lib/options/arguments')
const { HOUR, MINUTE, NEW, OLD, rotationWorld, settled } = require('./support/rotations')
const { closeAll, rejection } = require('./support/world')

afterEach(closeAll)

const read = (file) => readFileSync(path.join(__dirname, '..', file), 'utf8')
const types = read('index.d.ts')
const guide = read('docs/alerts.md')

/** The texts that a member of an interface may have. */
function union(name, member) {
  const from = types.indexOf(`export interface ${name} `)
  const [, texts] = new RegExp(`^  ${member}:\\s([^/*]*?)(?=\\n  (?:/\\*\\*|\\w+\\??:)|\\n})`, 'm').exec(
    types.slice(from),
  )
  return [...texts.matchAll(/'([a-z-]+)'/g)].map(([, text]) => text)
}

/** The first cells of the table of a section, without its head. */
function listed(title) {
  const [, section] = guide.split(`\n## ${title}\n`)
  const cells = section.split('\n## ')[0].matchAll(/^\| `([a-z-]+)` /gm)
  return [...cells].map(([, name]) => name).filter((name) => name !== 'change' && name !== 'code')
}

test.each([
  ['event', NAMES, EVENTS, 'Log events'],
  ['change of a rotation', union('RotationEvent', 'change'), CHANGES, 'Rotations'],
  ['problem', union('HealthProblem', 'code'), PROBLEMS, 'Alert on problems'],
])('every %s has a level in the example and a row in docs/alerts.md', (_, known, levels, title) => {
  expect(known.length).toBeGreaterThan(9)
  expect(Object.keys(levels).sort()).toEqual([...known].sort())
  expect(listed(title).sort()).toEqual([...known].sort())
})

/** A logger of pino's, and the lines that it has written. */
function logger() {
  const lines = []
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(chunk))
      done()
    },
  })
  return { lines, log: pino({ level: 'debug' }, stream) }
}

const WRONG = { label: 'wrong', clientId: 'app', clientSecret: 'hunter2' }

test('pino gets each event at its level, with the words of the event and no secret', async () => {
  const persist = () => Promise.reject(Object.assign(new Error('new'), { code: 'ECONNREFUSED' }))
  const { clock, server, tokens } = await rotationWorld({
    credentials: { ...OLD, persist },
    knobs: { lifetimeMs: HOUR },
  })
  const { lines, log } = logger()
  logEvents(tokens, log)
  await settled(clock, MINUTE, rejection(tokens.rotate(WRONG)))
  await settled(clock, MINUTE, rejection(tokens.rotate({ ...NEW, deadlineMs: MINUTE })))
  server.set({ outage: 503 })
  await clock.advance(2 * HOUR)

  const levels = (name, key) =>
    Object.fromEntries(lines.filter(({ event }) => event === name).map((line) => [line[key], line.level]))
  const { debug, info, warn, error } = pino.levels.values
  expect(levels('rotation', 'change')).toMatchObject({
    staged: info,
    'candidate-rejected': warn,
    'awaiting-custody': error,
  })
  expect(levels('persisted', 'outcome')).toEqual({ failed: warn })
  expect(levels('token-retired', 'event')).toEqual({ 'token-retired': debug })
  const failed = lines.filter(({ event }) => event === 'refresh-failed')
  expect(failed.find(({ runwayMs }) => runwayMs > 0).level).toBe(warn)
  expect(failed.find(({ runwayMs }) => runwayMs === 0).level).toBe(error)

  const rejected = lines.find(({ change }) => change === 'candidate-rejected')
  expect(rejected.err).toMatchObject({ code: 'ERR_CREDENTIAL_REJECTED' })
  expect(rejected.msg).toContain('"wrong" (client id app')
  expect(lines.every(({ msg }) => msg.length > 4)).toBe(true)
  expect(JSON.stringify(lines)).not.toContain(WRONG.clientSecret)
})

test('a problem is logged once when it begins, and once when it is over', async () => {
  const { clock, server, tokens } = await rotationWorld({ knobs: { lifetimeMs: HOUR } })
  const { lines, log } = logger()
  const look = logProblems(tokens, log)
  const { info, warn } = pino.levels.values

  look()
  expect(lines).toEqual([])

  server.set({ outage: 503 })
  await clock.advance(55 * MINUTE)
  look()
  look()
  expect(lines).toMatchObject([{ level: warn, code: 'refresh-failing', affectsTokens: false }])
  expect(lines[0].msg).toMatch(/^The token cannot be refreshed: /)

  server.set({ outage: false })
  await clock.advance(2 * MINUTE)
  look()
  look()
  expect(lines).toMatchObject([{}, { level: info, code: 'refresh-failing' }])
})
