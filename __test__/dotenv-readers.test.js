'use strict'

const { spawnSync } = require('node:child_process')
const util = require('node:util')

const dotenv = require('dotenv')

const cases = require('../src/persist/cases.json')
const readings = require('../src/persist/readings.json')

/**
 * Who reads a file that the native part has changed, beside shells. Its own tests
 * (`src/persist/tests.rs`) see that it makes `edited` of `text`.
 */
const READERS = [
  ['dotenv', (text) => dotenv.parse(text)],
  ['dotenv, fast', (text) => dotenv.parse(text, { fast: true })],
  // Node.js 20.12 and later.
  ...(util.parseEnv ? [['Node.js', util.parseEnv]] : []),
]

/** Without what only a line break that Node.js 20 does not see makes a name. */
const variables = (read, text) =>
  Object.fromEntries(Object.entries(read(text)).filter(([name]) => /^[\w.-]+$/.test(name)))

describe.each(READERS)('%s', (reader, read) => {
  test.each(cases)('reads the new pair, and the others as before: $about', (example) => {
    const { text, edited, clientId, clientSecret } = example
    const before = variables(read, text)
    const pair = { ID: clientId, SECRET: clientSecret }
    // To Node.js a name with a colon is none, before and after.
    const expected = /^ID:/m.test(text) && reader === 'Node.js' ? before : { ...before, ...pair }
    expect(variables(read, edited)).toEqual(expected)
  })
})

describe.each(READERS)('%s', (reader, read) => {
  const isAmbiguous = (reading) => reading.is_ambiguous === true
  // A byte order mark is the file's, and no reader's.
  const secretIn = (text) => read(text.replace(/^\ufeff/, '')).SECRET || null

  test.each(readings.filter((reading) => !isAmbiguous(reading)))('reads as we do: $about', (reading) => {
    expect(secretIn(reading.text)).toBe(reading.secret)
  })

  if (reader === 'Node.js') {
    test.each(readings.filter(isAmbiguous))('reads something else than dotenv does: $about', ({ text }) => {
      expect(secretIn(text)).not.toBe(dotenv.parse(text).SECRET)
    })
  }
})

/**
 * A shell wants `NAME=value`, a space before a comment, plain line breaks, and no backtick of
 * others.
 */
const isForShells = ({ text }) => !/^\ufeff|^\w+( =|:)|^\w+=\S*#|^C=`|\r/m.test(text)

/** The paths of those that there are; `sh` is always. */
const SHELLS = ['sh', 'dash', 'bash', 'zsh']
  .map((name) => spawnSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim())
  .filter((path) => path !== '')

describe.each(SHELLS)('%s', (shell) => {
  test.each(cases.filter(isForShells))('reads the new pair, and runs nothing of it: $about', (example) => {
    const { edited, clientId, clientSecret } = example
    const script = `${edited}\nprintf '%s\\n' "$ID" "$SECRET"`
    // With a socket for its input bash would take itself for a remote one, and read its user's
    // profile.
    const options = { encoding: 'utf8', env: { PATH: '' }, stdio: ['ignore', 'pipe', 'pipe'] }
    const { stdout, stderr } = spawnSync(shell, ['-c', script], options)
    expect({ stdout, stderr }).toEqual({ stdout: `${clientId}\n${clientSecret}\n`, stderr: '' })
  })
})
