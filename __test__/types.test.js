'use strict'

const { execFileSync } = require('node:child_process')
const { readdirSync } = require('node:fs')
const path = require('node:path')

const DIRECTORY = path.join(__dirname, 'types')
const TSC = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const projects = readdirSync(DIRECTORY).filter((name) => /^tsconfig\..*\.json$/.test(name))

test('the contract is checked for every way of resolving modules', () => {
  expect(projects).toEqual(
    expect.arrayContaining(['commonjs', 'node16', 'bundler'].map((name) => `tsconfig.${name}.json`)),
  )
})

test.each(projects)(
  'index.d.ts and its use type-check with %s',
  (project) => {
    const check = () =>
      execFileSync(process.execPath, [TSC, '-p', path.join(DIRECTORY, project)], { encoding: 'utf8' })
    let complaints
    try {
      complaints = check()
    } catch (error) {
      complaints = error.stdout
    }
    expect(complaints).toBe('')
  },
  120_000,
)
