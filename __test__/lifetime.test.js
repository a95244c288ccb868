'use strict'

const { execFileSync } = require('node:child_process')

/**
 * What a script prints in a process that can collect garbage. `make()` makes a manager on a server
 * that is out until `provider.set({ outage: false })`; `until(condition)` collects garbage until it
 * holds.
 */
function lines(script) {
  const whole = `
    const native = require('./lib/native/load')
    const { TokenManager, oauth2 } = require('.')
    const { fakeAuthorizationServer } = require('./lib/testing')
    async function until(condition) {
      for (let round = 0; round < 1000 && !condition(); round++) {
        globalThis.gc()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    fakeAuthorizationServer().then(async (provider) => {
      provider.set({ outage: true })
      const options = {
        provider: oauth2({ tokenUrl: provider.tokenUrl, clientAuth: 'basic-raw' }),
        credentials: { clientId: 'app', clientSecret: 'secret' },
      }
      const make = () => new TokenManager(options)
      ${script}
      process.exit(0)
    })`
  const options = { cwd: `${__dirname}/..`, encoding: 'utf8', timeout: 60_000 }
  return execFileSync(process.execPath, ['--expose-gc', '-e', whole], options).split('\n').filter(Boolean)
}

test('a manager that nobody refers to is closed', () => {
  const printed = lines(`
    make()
    make().ready().catch(() => {})
    make().on('token', () => {}).close()
    console.log(native.managers())
    provider.set({ outage: false })
    await until(() => native.managers() === 0)
    console.log(native.managers())`)
  expect(printed).toEqual(['2', '0'])
})

test('a manager that somebody listens to goes on, until nobody does', () => {
  const printed = lines(`
    let told
    const token = new Promise((resolve) => (told = resolve))
    make().once('token', told)
    make()
    await until(() => native.managers() === 1)
    console.log(native.managers())
    provider.set({ outage: false })
    console.log((await token).serial)
    await until(() => native.managers() === 0)
    console.log(native.managers())`)
  expect(printed).toEqual(['1', '1', '0'])
})

test('a call that waits keeps its manager', () => {
  const printed = lines(`
    const { signal } = new AbortController()
    const waiting = Promise.all([make().getToken(), make().getToken({ signal })])
    make()
    await until(() => native.managers() === 2)
    console.log(native.managers())
    provider.set({ outage: false })
    console.log((await waiting).every((token) => typeof token === 'string'))
    await until(() => native.managers() === 0)
    console.log(native.managers())`)
  expect(printed).toEqual(['2', 'true', '0'])
})

test('a rotation that waits keeps its manager, and so does one that somebody holds', () => {
  const printed = lines(`
    const waiting = make().rotate({ clientId: 'app', clientSecret: 'secret' })
    make()
    await until(() => native.managers() === 1)
    console.log(native.managers())
    provider.set({ outage: false })
    let rotation = await waiting
    make()
    await until(() => native.managers() === 1)
    console.log(native.managers(), (await rotation.until('persisted')).active.clientId)`)
  expect(printed).toEqual(['1', '1 app'])
})

test('a manager with listeners does not keep the process alive', () => {
  const script = `
    const { TokenManager, oauth2 } = require('.')
    new TokenManager({
      provider: oauth2({ tokenUrl: 'http://127.0.0.1:1/' }),
      credentials: { clientId: 'app', clientSecret: () => new Promise(() => {}) },
    }).on('refresh-failed', () => {})
    process.on('exit', () => console.log('over'))`
  const options = { cwd: `${__dirname}/..`, encoding: 'utf8', timeout: 30_000 }
  expect(execFileSync(process.execPath, ['-e', script], options)).toBe('over\n')
})
