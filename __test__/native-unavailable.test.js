'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { run } = require('./support/process')
const { atEnd, closeAll } = require('./support/world')

afterEach(closeAll)

const ROOT = path.join(__dirname, '..')
const SCRIPT = path.join(__dirname, 'support', 'children', 'without-native.js')

/** What a program sees of a copy of the package with these files alone. */
async function seen(files) {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'oauth-rotor-'))
  atEnd(() => fs.rmSync(copy, { recursive: true }))
  for (const file of files) fs.cpSync(path.join(ROOT, file), path.join(copy, file), { recursive: true })
  return run([SCRIPT, copy]).result()
}

test.each([
  ['its loader finds no addon', ['index.js', 'lib', 'package.json', 'native.js']],
  ['it was never built', ['index.js', 'lib', 'package.json']],
])('a package loads where %s, and its constructor says what to do', async (_, files) => {
  const error = await seen(files)
  expect(error).toMatchObject({
    isOurs: true,
    name: 'NativeUnavailableError',
    code: 'ERR_NATIVE_UNAVAILABLE',
    retryable: false,
    cause: expect.stringMatching(/^Error: .*native/is),
  })
  expect(error.message).toContain(`${process.platform}-${process.arch}`)
  expect(error.message).toContain('--omit=optional')
  expect(error.stack).toContain('without-native.js')
})
