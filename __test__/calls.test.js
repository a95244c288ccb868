'use strict'

const { getEventListeners } = require('node:events')
const { closeAll, event, manager, rejection, server } = require('./support/world')

afterEach(closeAll)

test('a thousand calls on one signal are one listener, and none when they have their token', async () => {
  const tokens = manager(await server({ latencyMs: 50 }))
  const { signal } = new AbortController()
  const cold = Promise.all(Array.from({ length: 1000 }, () => tokens.getToken({ signal })))
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  expect(new Set(await cold).size).toBe(1)
  for (let i = 0; i < 1000; i++) expect(tokens.getToken({ signal })).toBe(tokens.getToken())
  await tokens.getToken({ signal, minValidityMs: 1 })
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test.each([[undefined], [{}], [{ minValidityMs: 0 }], [{ minValidityMs: undefined, signal: undefined }]])(
  'getToken(%j) is a hit: the same promise',
  async (wish) => {
    const tokens = manager(await server())
    await tokens.getToken()
    expect(tokens.getToken(wish)).toBe(tokens.getToken())
  },
)

test('a failure that nobody waits for is no unhandled rejection', async () => {
  const unhandled = jest.fn()
  process.on('unhandledRejection', unhandled)
  const tokens = manager(await server({ clients: {} }), {
    credentials: () => ({ clientId: 'app', clientSecret: 'x' }),
  })
  await event(tokens, 'refresh-failed')
  const controller = new AbortController()
  const aborted = rejection(tokens.getToken({ signal: controller.signal }))
  controller.abort()
  await aborted
  await tokens.close()
  await new Promise(setImmediate)
  process.off('unhandledRejection', unhandled)
  expect(unhandled).not.toHaveBeenCalled()
})
