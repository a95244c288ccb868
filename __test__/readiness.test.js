'use strict'

const { closeAll, rejection, virtualWorld } = require('./support/world')
const { MINUTE, SECOND, isPending } = require('./support/rotations')

afterEach(closeAll)

const UNAVAILABLE = { code: 'ERR_TOKEN_UNAVAILABLE' }

/** A provider that is down, and a manager that waits for 5 s by default. */
async function outage(options) {
  const { clock, server, open } = await virtualWorld({ outage: 503 })
  const tokens = open(options)
  await clock.advance(0)
  return { clock, server, tokens }
}

/**
 * When a call comes to an end, in ms from now on; undefined where it goes on for all of the time.
 */
async function endOf(clock, promise, limit) {
  const begin = clock.now()
  let end
  const over = () => (end ??= clock.now() - begin)
  promise.then(over, over)
  while (end === undefined && clock.now() - begin < limit) await clock.advance(SECOND / 4)
  return end
}

test.each([
  ['acquireTimeoutMs without a limit of its own', {}, undefined, 5000],
  ['another acquireTimeoutMs', { acquireTimeoutMs: 2000 }, undefined, 2000],
  ['a shorter timeoutMs', {}, { timeoutMs: 1000 }, 1000],
  ['a longer timeoutMs', {}, { timeoutMs: 60_000 }, 60_000],
  ['timeoutMs, beside a signal', {}, { timeoutMs: 7000, signal: new AbortController().signal }, 7000],
])('ready() gives up after %s', async (_, options, limit, millis) => {
  const { clock, tokens } = await outage(options)
  const ready = tokens.ready(limit)
  const rejected = rejection(ready)
  expect(await endOf(clock, ready, 2 * MINUTE)).toBe(millis)
  expect(await rejected).toMatchObject({ ...UNAVAILABLE, cause: { code: 'ERR_ENDPOINT' } })
})

test('with a signal it waits until that is aborted, or there is a token', async () => {
  const { clock, server, tokens } = await outage()
  const controller = new AbortController()
  const aborted = tokens.ready({ signal: controller.signal })
  const patient = tokens.ready({ signal: new AbortController().signal })
  aborted.catch(() => {})
  await clock.advance(60 * MINUTE)
  expect(await isPending(clock, aborted)).toBe(true)
  controller.abort(new Error('enough'))
  expect(await rejection(aborted)).toEqual(new Error('enough'))

  server.set({ outage: false })
  await clock.advance(MINUTE)
  expect(await patient).toBeUndefined()
})

test('while somebody waits an outage is noticed to be over within 5 s', async () => {
  const { clock, server, tokens } = await outage()
  const ready = tokens.ready({ timeoutMs: 60 * MINUTE })
  await clock.advance(30 * MINUTE)
  server.set({ outage: false })
  expect(await endOf(clock, ready, MINUTE)).toBeLessThanOrEqual(5 * SECOND)
})

test('getToken() gives up after acquireTimeoutMs, also while ready() waits for longer', async () => {
  const { clock, tokens } = await outage()
  const ready = tokens.ready({ timeoutMs: MINUTE })
  ready.catch(() => {})
  const token = tokens.getToken()
  const rejected = rejection(token)
  expect(await endOf(clock, token, MINUTE)).toBe(5000)
  expect(await rejected).toMatchObject(UNAVAILABLE)
  expect(await isPending(clock, ready)).toBe(true)
})

test('that no credential is accepted ends it at once, however long it may wait', async () => {
  const { clock, open } = await virtualWorld({ clients: { app: 'other' } })
  const ready = rejection(open().ready({ timeoutMs: 60 * MINUTE }))
  await clock.advance(0)
  expect(await ready).toMatchObject({ ...UNAVAILABLE, cause: { code: 'ERR_CREDENTIAL_REJECTED' } })
})

test.each([0, -1, 1.5, 3_600_001, NaN, '1000', null])('timeoutMs %p is refused', async (timeoutMs) => {
  const { tokens } = await outage()
  expect(await rejection(tokens.ready({ timeoutMs }))).toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: expect.stringContaining('from 1 to 3,600,000'),
  })
})
