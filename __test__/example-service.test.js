'use strict'

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { createProject } = require('../demo/webhooks/project')
const project = require('./support/project')
const { closeAll } = require('./support/world')

const EXAMPLE = path.join(__dirname, '..', 'examples', 'service')
const JEST = path.join(path.dirname(require.resolve('jest/package.json')), 'bin', 'jest.js')
const read = (file) => readFileSync(path.join(EXAMPLE, file), 'utf8')

/** The example as a user has it, compiled. That it compiles is a test of its types. */
let directory

beforeAll(() => {
  directory = project.temporaryDirectory()
  createProject(directory)
})
afterEach(closeAll)
afterAll(project.removeDirectories)

test('the tests of the example pass, with Express and with Fastify', async () => {
  const { code, output } = await project.node([JEST, '--json'], { cwd: directory })
  const json = output.split('\n').find((line) => line.startsWith('{"numFailedTestSuites"'))
  const { numPassedTests, testResults } = JSON.parse(json ?? 'null') ?? { testResults: [output] }
  const failed = testResults.map(({ message }) => message).filter(Boolean)
  expect({ code, failed }).toEqual({ code: 0, failed: [] })
  expect(numPassedTests).toBe(18)
}, 300_000)

test('it uses the versions that this project tests with', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'))
  const ours = require('../package.json')
  const { 'oauth-rotor': itself, ...others } = { ...dependencies, ...devDependencies }
  expect(itself).toBe(`^${ours.version}`)
  for (const [name, range] of Object.entries(others)) {
    expect([name, range]).toEqual([name, ours.devDependencies[name]])
  }
})

test('its README has every variable that it reads, and every file', () => {
  const source = read('src/configuration.ts')
  const variables = [...source.matchAll(/env\['(\w+)'\]|required\(env, '(\w+)'\)/g)].map(([, a, b]) => a ?? b)
  const listed = [...read('README.md').matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name)
  expect(listed.sort()).toEqual([...new Set(variables)].sort())
  for (const [, file] of source.matchAll(/'((?:gc|pagerduty|genesys|receiver)-[a-z-]+)'/g)) {
    expect(read('README.md')).toContain(`\`${file}`)
  }
})
