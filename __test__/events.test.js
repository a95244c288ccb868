'use strict'

const { execFileSync } = require('node:child_process')
const { closeAll, event, manager, server } = require('./support/world')

afterEach(closeAll)

/**
 * What a manager's script prints, line by line; `provider` is a server and `tokens` a manager on
 * it.
 */
function lines(script) {
  const whole = `
    const { event, manager, server } = require('./__test__/support/world')
    server().then(async (provider) => {
      const tokens = manager(provider)
      ${script}
      process.exit(0)
    })`
  const options = { cwd: `${__dirname}/..`, encoding: 'utf8' }
  return execFileSync(process.execPath, ['-e', whole], options).split('\n').filter(Boolean)
}

/** Has one token replaced by another, and their events delivered. */
async function another(tokens) {
  const retired = event(tokens, 'token-retired')
  tokens.invalidate(await tokens.getToken())
  await retired
}

test('a listener hears every event, one that was added once the next, one that was removed none', async () => {
  const tokens = manager(await server())
  const [always, once, twiceAdded, never] = [jest.fn(), jest.fn(), jest.fn(), jest.fn()]
  const first = event(tokens, 'token')
  tokens.on('token', always).once('token', once).once('token', twiceAdded).once('token', twiceAdded)
  tokens.off('token', twiceAdded)
  tokens.on('token', never).once('token', never).off('token', never).off('token', never)
  await first
  const second = event(tokens, 'token')
  await another(tokens)
  await second
  expect([always, once, twiceAdded, never].map(({ mock }) => mock.calls.length)).toEqual([2, 1, 1, 0])
})

test('`this` in a listener is the manager, however it was added', async () => {
  const tokens = manager(await server())
  const seen = []
  function listener() {
    seen.push(this)
  }
  tokens.once('token', listener).on('token', listener)
  await event(tokens, 'token')
  expect(seen).toHaveLength(2)
  for (const it of seen) expect(it).toBe(tokens)
})

test('a listener that is added during an event hears the next one', async () => {
  const tokens = manager(await server())
  const late = jest.fn()
  tokens.once('token', () => tokens.on('token', late))
  await event(tokens, 'token')
  expect(late).not.toHaveBeenCalled()
  const second = event(tokens, 'token')
  await another(tokens)
  await second
  expect(late).toHaveBeenCalledTimes(1)
})

test.each(['on', 'once', 'off'])(
  '%s refuses an event that there is not, and what is no function',
  async (method) => {
    const tokens = manager(await server())
    const refused = { code: 'ERR_INVALID_ARGUMENT', message: expect.any(String) }
    for (const name of ['error', 'tokens', '', undefined, null, 7, Symbol('token'), 'constructor']) {
      expect(() => tokens[method](name, () => {})).toThrow(expect.objectContaining(refused))
    }
    for (const listener of [undefined, null, {}, 'x']) {
      expect(() => tokens[method]('token', listener)).toThrow(expect.objectContaining(refused))
    }
    expect(() => tokens[method]('error', () => {})).toThrow(/'refresh-failed'/)
  },
)

test('after close, also by a listener, no event is told', async () => {
  const provider = await server()
  const tokens = manager(provider, { name: 'closed-by-a-listener' })
  const other = manager(provider, { name: 'closed-by-a-listener' })
  const late = jest.fn()
  tokens.on('token', () => other.close())
  other.on('token', late)
  await event(tokens, 'token')
  other.on('token', late)
  await another(tokens)
  expect(late).not.toHaveBeenCalled()
})

test('when several listeners throw, no error is lost', () => {
  const printed = lines(`
    process.on('uncaughtException', (error) => {
      console.log(error.name, error.message, ...(error.errors ?? []).map(({ message }) => message))
    })
    for (const name of ['one', 'two']) tokens.on('token', () => { throw new Error(name) })
    await event(tokens, 'token')`)
  expect(printed).toEqual(['AggregateError 2 listeners threw one two'])
})

test('an asynchronous listener that rejects is its owner’s, and no event is lost by it', () => {
  const printed = lines(`
    process.on('unhandledRejection', (error) => console.log('unhandled', error.message))
    tokens.on('token', async () => { throw new Error('mine') })
    await event(tokens, 'token')
    await new Promise(setImmediate)`)
  expect(printed).toEqual(['unhandled mine'])
})
