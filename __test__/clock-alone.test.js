'use strict'

const { createClock } = require('../lib/testing')

const START = Date.UTC(2026, 10, 23, 19, 28)

test('a clock stands still until it is told to advance', async () => {
  const clock = createClock({ now: START })
  expect(clock.now()).toBe(START)
  await clock.advance(0)
  expect(clock.now()).toBe(START)
  await clock.advance(1500)
  expect(clock.now()).toBe(START + 1500)
  expect(createClock({ now: new Date(START) }).now()).toBe(START)
  expect(createClock().now()).toBe(createClock({ now: undefined }).now())
})

test('sleepers wake one after the other, each at its time', async () => {
  const clock = createClock({ now: START })
  const woken = []
  const nap = async (name, millis) => {
    await clock.sleep(millis)
    woken.push([name, clock.now() - START])
  }
  nap('late', 300)
  nap('early', 100).then(() => nap('again', 100))
  nap('never', 1001)
  nap('at once', 0)
  await clock.advance(1000)
  expect(woken).toEqual([
    ['at once', 0],
    ['early', 100],
    ['again', 200],
    ['late', 300],
  ])
})

test('two advances run one after the other', async () => {
  const clock = createClock({ now: START })
  const order = []
  clock.sleep(150).then(() => order.push(`woken at ${clock.now() - START}`))
  await Promise.all([
    clock.advance(100).then(() => order.push(`first at ${clock.now() - START}`)),
    clock.advance(100).then(() => order.push(`second at ${clock.now() - START}`)),
  ])
  expect(order).toEqual(['first at 100', 'woken at 150', 'second at 200'])
})

test.each([
  [() => createClock(null), 'createClock(options) takes an object { now }, got null.'],
  [() => createClock(5), 'createClock(options) takes an object { now }, got 5.'],
  [() => createClock({ nw: 1 }), "createClock(options) has no option 'nw'. Did you mean 'now'?"],
  [
    () => createClock({ now: -1 }),
    'createClock({ now }) takes a whole number of milliseconds from 0, got -1.',
  ],
  [
    () => createClock({ now: '2026' }),
    'createClock({ now }) takes a whole number of milliseconds from 0, got a string of 4 characters.',
  ],
  [
    () => createClock({ now: null }),
    'createClock({ now }) takes a whole number of milliseconds from 0, got null.',
  ],
  [() => createClock({ now: new Date(NaN) }), /got NaN\.$/],
  [() => createClock({ now: 1e300 }), /got 1e\+300\.$/],
  [
    () => createClock().advance(),
    'advance(millis) takes a whole number of milliseconds from 0, got nothing.',
  ],
  [() => createClock().advance(1.5), /got 1\.5\.$/],
  [() => createClock().advance(-1), /got -1\.$/],
  [() => createClock().advance(Infinity), /got Infinity\.$/],
  [
    () => createClock().sleep('1'),
    'sleep(millis) takes a whole number of milliseconds from 0, got a string of 1 character.',
  ],
])('a wrong argument is a TypeError that says what is right (%#)', (call, message) => {
  expect(call).toThrow(TypeError)
  expect(call).toThrow(message)
})

test('after a wrong argument the clock goes on', async () => {
  const clock = createClock({ now: START })
  expect(() => clock.advance('a day')).toThrow(TypeError)
  await clock.advance(1)
  expect(clock.now()).toBe(START + 1)
})

describe('what is tied to a clock', () => {
  const brandOf = (clock) => clock[Symbol.for('oauth-rotor.clock')]

  /** A native counterpart with one request under way. */
  function requesting(clock) {
    const counterpart = {
      advance: jest.fn(),
      activity: jest.fn(() => ({ isBusy: false, requests: 1, isReading: false })),
    }
    return { ...counterpart, unlink: brandOf(clock).link(counterpart) }
  }

  test('a request that waits for the clock is not waited for', async () => {
    const clock = createClock({ now: START })
    const { advance, activity, unlink } = requesting(clock)
    brandOf(clock).hold(new Promise(() => {}))
    await clock.advance(1000)
    expect(advance).toHaveBeenCalledWith(START + 1000)
    expect(activity.mock.calls.length).toBeLessThan(20)
    unlink()
    await clock.advance(1000)
    expect(advance).toHaveBeenCalledTimes(1)
  })

  test('another one is, many turns of the event loop long, in each advance', async () => {
    const clock = createClock({ now: START })
    const { activity } = requesting(clock)
    for (let round = 1; round <= 2; round++) {
      activity.mockClear()
      await clock.advance(1000)
      expect(activity.mock.calls.length).toBeGreaterThan(90)
      expect(clock.now()).toBe(START + round * 1000)
    }
  })

  test('a request that is held no longer is waited for again', async () => {
    const clock = createClock({ now: START })
    const { activity } = requesting(clock)
    await brandOf(clock).hold(clock.sleep(0))
    await clock.advance(1000)
    expect(activity.mock.calls.length).toBeGreaterThan(90)
  })
})
