'use strict'

const { getEventListeners } = require('node:events')

const { abortable, isAbortSignal } = require('../lib/abort')

function deferred() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

const listeners = (signal) => getEventListeners(signal, 'abort').length

test('without a signal the promise is passed on as it is', () => {
  const { promise } = deferred()
  expect(abortable(undefined, () => promise)).toBe(promise)
})

test('an aborted signal rejects with its reason before anything is started', async () => {
  const start = jest.fn()
  const reason = new Error('too late')
  await expect(abortable(AbortSignal.abort(reason), start)).rejects.toBe(reason)
  expect(start).not.toHaveBeenCalled()
})

test('an abort rejects with its reason, cancels once and leaves no listener', async () => {
  const controller = new AbortController()
  const cancel = jest.fn()
  const waiting = abortable(controller.signal, () => deferred().promise, cancel)
  expect(listeners(controller.signal)).toBe(1)
  controller.abort('stop')
  controller.abort('again')
  await expect(waiting).rejects.toBe('stop')
  expect(cancel).toHaveBeenCalledTimes(1)
  expect(listeners(controller.signal)).toBe(0)
})

test.each([
  ['resolves', ({ resolve }) => resolve('token'), { status: 'fulfilled', value: 'token' }],
  ['rejects', ({ reject }) => reject('failed'), { status: 'rejected', reason: 'failed' }],
])(
  'a promise that %s first wins, and a later abort changes and cancels nothing',
  async (_, settle, outcome) => {
    const controller = new AbortController()
    const work = deferred()
    const cancel = jest.fn()
    const waiting = abortable(controller.signal, () => work.promise, cancel)
    settle(work)
    expect(await Promise.allSettled([waiting])).toEqual([outcome])
    expect(listeners(controller.signal)).toBe(0)
    controller.abort()
    expect(cancel).not.toHaveBeenCalled()
  },
)

test('a promise that rejects after the abort is not an unhandled rejection', async () => {
  const controller = new AbortController()
  const work = deferred()
  const waiting = abortable(controller.signal, () => work.promise)
  controller.abort('stop')
  await expect(waiting).rejects.toBe('stop')
  work.reject(new Error('late'))
  // Jest fails a test during which a rejection goes unhandled; a listener of ours would not be
  // called here.
  await new Promise(setImmediate)
})

test('what throws while it starts rejects, and leaves no listener', async () => {
  const { signal } = new AbortController()
  const thrown = new Error('at once')
  const start = () => {
    throw thrown
  }
  await expect(abortable(signal, start)).rejects.toBe(thrown)
  expect(listeners(signal)).toBe(0)
})

test('a thousand calls that wait on one signal are one listener, and each is settled by itself', async () => {
  const controller = new AbortController()
  const works = Array.from({ length: 1000 }, deferred)
  const cancel = jest.fn()
  const waiting = works.map(({ promise }) => abortable(controller.signal, () => promise, cancel))
  expect(listeners(controller.signal)).toBe(1)
  works[0].resolve('first')
  works[1].reject('second')
  await expect(waiting[0]).resolves.toBe('first')
  await expect(waiting[1]).rejects.toBe('second')
  expect(listeners(controller.signal)).toBe(1)
  controller.abort('stop')
  const rest = await Promise.allSettled(waiting.slice(2))
  expect(new Set(rest.map(({ reason }) => reason))).toEqual(new Set(['stop']))
  expect(cancel).toHaveBeenCalledTimes(998)
  expect(listeners(controller.signal)).toBe(0)
})

test('a signal of a polyfill without a reason rejects with an AbortError', async () => {
  const signal = { aborted: true, addEventListener() {}, removeEventListener() {} }
  await expect(abortable(signal, jest.fn())).rejects.toMatchObject({ name: 'AbortError' })
})

test('a signal is known by its shape', () => {
  expect(isAbortSignal(new AbortController().signal)).toBe(true)
  expect(isAbortSignal({ aborted: false, addEventListener() {}, removeEventListener() {} })).toBe(true)
  for (const value of [undefined, null, {}, 'abort', new AbortController(), { aborted: false }]) {
    expect(isAbortSignal(value)).toBe(false)
  }
})
