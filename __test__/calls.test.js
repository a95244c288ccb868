'use strict'

const { getEventListeners } = require('node:events')
const { Calls } = require('../lib/calls')
const { closeAll, manager, rejection, server } = require('./support/world')

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

test('a call that cannot begin rejects, and is not there to be refused by a close', async () => {
  const calls = new Calls()
  const stop = jest.fn()
  const begin = (call) => {
    call.stop = stop
    throw new Error('it cannot')
  }
  expect((await rejection(calls.wait(undefined, begin, begin))).message).toBe('it cannot')
  calls.close()
  expect(stop).not.toHaveBeenCalled()
})
