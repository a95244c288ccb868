'use strict'

const { execFileSync } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..')

/** What a script prints that runs in a process of its own. */
function run(script, args) {
  return JSON.parse(execFileSync(process.execPath, [...args, '-e', script], { cwd: root, encoding: 'utf8' }))
}

test('an ES module imports every name, and the default is the module itself', () => {
  const script = `
    import * as all from './index.js'
    import whole, { TokenManager } from './index.js'
    const { default: _, 'module.exports': __, ...names } = all
    console.log(JSON.stringify({ names: Object.keys(names), same: whole.TokenManager === TokenManager }))`
  const { names, same } = run(script, ['--input-type=module'])
  expect(names.sort()).toEqual(Object.keys(require('..')).sort())
  expect(same).toBe(true)
})

test('the package loads nothing of oauth-rotor/testing', () => {
  const script = `
    const loaded = () => Object.keys(require.cache).filter((file) => /[\\\\/]testing([\\\\/]|\\.js$)/.test(file)).length
    require('.')
    const alone = loaded()
    require('./lib/testing')
    console.log(JSON.stringify({ alone, isThereOtherwise: loaded() > 0 }))`
  expect(run(script, [])).toEqual({ alone: 0, isThereOtherwise: true })
})

test('a copy of the package shares tokens with another one, and knows its errors and providers', async () => {
  const { closeAll, manager, rejection, server } = require('./support/world')
  const provider = await server()
  const first = manager(provider, { name: 'copies' })
  jest.resetModules()
  const copy = require('..')
  expect(copy.TokenManager).not.toBe(first.constructor)
  const second = new copy.TokenManager({
    name: 'copies',
    provider: copy.oauth2({ tokenUrl: provider.tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
  })
  expect(await second.getToken()).toBe(await first.getToken())
  expect(provider.requests.length).toBe(1)
  await first.close()
  expect(await rejection(first.getToken())).toBeInstanceOf(copy.ClosedError)
  expect(await second.getToken()).toEqual(expect.any(String))
  await second.close()
  await closeAll()
})
