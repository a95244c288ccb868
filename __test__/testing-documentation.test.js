'use strict'

const { execFileSync, spawnSync } = require('node:child_process')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { createClock, fakeAuthorizationServer, fakePagerDuty, fakeTokens } = require('../lib/testing')

const ROOT = path.join(__dirname, '..')
const guide = readFileSync(path.join(ROOT, 'docs/testing.md'), 'utf8')
const types = readFileSync(path.join(ROOT, 'lib/testing/index.d.ts'), 'utf8')
const examples = [...guide.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code)

/** What a TypeError about an unknown option says that there is. */
async function known(call) {
  const { message } = await call().then(
    () => ({ message: '' }),
    (error) => error,
  )
  return /Known: (.*)\.$/.exec(message)[1].split(', ')
}

const wrong = { zzzzzzzzzzzzzzzzzzzzzz: 1 }

test.each([
  ['the fake server', async () => fakeAuthorizationServer(wrong), 'The fake server'],
  ['the fake PagerDuty', async () => fakePagerDuty(wrong), 'The fake PagerDuty'],
  ['fake tokens', async () => fakeTokens(wrong), 'Unit tests'],
])('every option of %s is in docs/testing.md and in its types, and no other', async (_, call, heading) => {
  const options = await known(call)
  const section = guide.slice(guide.indexOf(`## ${heading}`)).split(/\n## /)[0]
  const rows = [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name)
  expect(rows.sort()).toEqual([...options].sort())
  for (const option of options) expect(types).toMatch(new RegExp(`^ {2}${option}\\?: `, 'm'))
})

test('so is the option of a clock', async () => {
  expect(await known(async () => createClock(wrong))).toEqual(['now'])
  expect(types).toMatch(/^ {2}now\?: /m)
})

describe('the examples for Jest', () => {
  const forJest = examples.filter((code) => code.startsWith('// Jest'))

  afterAll(() => jest.useRealTimers())

  test('are six', () => expect(forJest.length).toBe(6))
  for (const code of forJest)
    new Function('require', 'test', 'expect', 'jest', code)(require, test, expect, jest)
})

test('the example for node:test passes', () => {
  const code = examples.find((example) => example.includes('node:test'))
  const options = { encoding: 'utf8', cwd: ROOT }
  const { stdout } = spawnSync(process.execPath, ['--test-reporter=tap', '-e', code], options)
  expect(stdout).toContain('# pass 1')
  expect(stdout).toContain('# fail 0')
})

test('the example that needs no test runs as it stands', () => {
  const code = examples.find((example) => example.endsWith('main()\n'))
  const options = { encoding: 'utf8', cwd: ROOT }
  expect(execFileSync(process.execPath, ['-e', code], options)).toMatch(/^200 \{/)
})

test('ES modules import it by name', () => {
  const code = `
    import { createClock, fakeAuthorizationServer, fakePagerDuty, fakeTokens } from 'oauth-rotor/testing'
    console.log(typeof createClock, typeof fakeAuthorizationServer, typeof fakePagerDuty, typeof fakeTokens)`
  const options = { encoding: 'utf8', cwd: ROOT }
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], options)
  expect(output).toBe('function function function function\n')
})
