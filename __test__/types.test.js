'use strict'

const { spawnSync } = require('node:child_process')
const { readdirSync } = require('node:fs')
const path = require('node:path')

const DIRECTORY = path.join(__dirname, 'types')
/** Not bin/tsc: an ES module without an extension is nothing that Node.js 20.3 loads. */
const TSC = path.join(path.dirname(require.resolve('typescript/package.json')), 'lib', 'tsc.js')
const projects = readdirSync(DIRECTORY).filter((name) => /^tsconfig\..*\.json$/.test(name))

test('the contract is checked for every way of resolving modules', () => {
  expect(projects).toEqual(
    expect.arrayContaining(['commonjs', 'node16', 'bundler'].map((name) => `tsconfig.${name}.json`)),
  )
})

test.each(projects)(
  'the types, and what uses them, type-check with %s',
  (project) => {
    const args = [TSC, '-p', path.join(DIRECTORY, project)]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  },
  120_000,
)
