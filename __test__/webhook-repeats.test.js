'use strict'

const { memorySeen, handleOnce } = require('../lib/webhook/repeats')
const { rejection } = require('./support/world')

const signed = (id) => ({ key: 'keys[0]', version: 'v1', id, timestamp: undefined })

/** A handler that counts its calls. */
function counting(handle = () => 'handled') {
  const handler = async () => {
    handler.calls += 1
    return handle(handler.calls)
  }
  return Object.assign(handler, { calls: 0 })
}

/** A promise, and the functions that settle it. */
function deferred() {
  const it = {}
  it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }))
  return it
}

/** Whole numbers below a bound, the same for the same seed. */
function randomFrom(seed) {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

describe('handleOnce()', () => {
  test('handles a message, and no repeat of it', async () => {
    const seen = memorySeen()
    const handler = counting()
    const once = (id) => handleOnce(signed(id), seen, handler)
    expect(await once('a')).toEqual({ duplicate: false, value: 'handled' })
    expect(await once('a')).toEqual({ duplicate: true })
    expect(await once('b')).toEqual({ duplicate: false, value: 'handled' })
    expect(handler.calls).toBe(2)
  })

  test('of two at the same time, the second is a repeat while the first is still handled', async () => {
    const seen = memorySeen()
    const work = deferred()
    const first = handleOnce(signed('a'), seen, () => work.promise)
    const handler = counting()
    expect(await handleOnce(signed('a'), seen, handler)).toEqual({ duplicate: true })
    work.resolve(1)
    expect(await first).toEqual({ duplicate: false, value: 1 })
    expect(handler.calls).toBe(0)
  })

  test('a handler that fails is called again for the retry, and its error is passed on', async () => {
    const seen = memorySeen()
    const failure = new TypeError('not now')
    const handler = counting((calls) => {
      if (calls === 1) throw failure
      return 'handled'
    })
    const once = () => handleOnce(signed('a'), seen, handler)
    expect(await rejection(once())).toBe(failure)
    expect(failure).not.toHaveProperty('seenError')
    expect(await once()).toEqual({ duplicate: false, value: 'handled' })
    expect(await once()).toEqual({ duplicate: true })
  })

  test('a handler that throws before it returns a promise is one that fails', async () => {
    const seen = memorySeen()
    const throwing = () => {
      throw new Error('at once')
    }
    expect((await rejection(handleOnce(signed('a'), seen, throwing))).message).toBe('at once')
    expect((await handleOnce(signed('a'), seen, () => 1)).value).toBe(1)
  })

  test('the store is asked with the id and 48 hours, or what the caller says', async () => {
    const asked = []
    const seen = { add: async (...args) => asked.push(args) > 0, delete: async () => {} }
    await handleOnce(signed('a'), seen, () => {})
    await handleOnce(signed(undefined), seen, () => {}, { id: 'b', ttlMs: 1 })
    expect(asked).toEqual([
      ['a', 172_800_000],
      ['b', 1],
    ])
  })

  test('a signed id counts more than one that the caller gives', async () => {
    const seen = memorySeen()
    const handler = counting()
    await handleOnce(signed('a'), seen, handler, { id: 'first' })
    expect(await handleOnce(signed('a'), seen, handler, { id: 'second' })).toEqual({ duplicate: true })
  })

  test('nothing is handled while the store cannot be asked', async () => {
    const failure = new Error('Redis is away')
    const handler = counting()
    const failing = [
      async () => {
        throw failure
      },
      () => {
        throw failure
      },
    ]
    for (const add of failing) {
      expect(await rejection(handleOnce(signed('a'), { add, delete() {} }, handler))).toBe(failure)
    }
    expect(handler.calls).toBe(0)
  })

  test("an id that cannot be deleted hides no handler's error, which says so", async () => {
    const away = new Error('Redis is away')
    const seen = { add: () => true, delete: () => Promise.reject(away) }
    const failing = (failure) => () => Promise.reject(failure)
    const failure = new Error('not handled')
    expect(await rejection(handleOnce(signed('a'), seen, failing(failure)))).toBe(failure)
    expect(failure.seenError).toBe(away)
    const frozen = Object.freeze(new Error('frozen'))
    for (const other of [frozen, 'a text', undefined, null]) {
      expect(await rejection(handleOnce(signed('a'), seen, failing(other)))).toBe(other)
    }
  })

  test.each([
    ['a Set', new Set(), 'an object'],
    ['the answer of Redis', { add: async () => 'OK', delete() {} }, 'a string of 2 characters'],
    ['nothing', { add() {}, delete() {} }, 'nothing'],
  ])('a store that adds with %s would let repeats pass, and is refused', async (_, seen, got) => {
    const handler = counting()
    expect(await rejection(handleOnce(signed('a'), seen, handler))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: `add() of the store has to return true for a new id and else false, got ${got}.`,
    })
    expect(handler.calls).toBe(0)
  })

  const seen = memorySeen()
  test.each([
    ['no id', [signed(undefined), seen, () => {}], /^This message has no signed id: give the sender's, as/],
    ['an empty id', [signed(''), seen, () => {}], /1 to 512 characters, got an empty string\.$/],
    ['a long id', [signed('x'.repeat(513)), seen, () => {}], /1 to 512 characters, got a string of 513/],
    ['a number as the id', [signed(7), seen, () => {}], /1 to 512 characters, got a number\.$/],
    ['no result', [undefined, seen, () => {}], /takes what verify\(\) returned, got nothing\.$/],
    [
      'no store',
      [signed('a'), undefined, () => {}],
      /takes a store with add\(\) and delete\(\), got nothing\.$/,
    ],
    ['half a store', [signed('a'), { add() {} }, () => {}], /takes a store with add/],
    ['no handler', [signed('a'), seen], /takes a function to call, got nothing\.$/],
    [
      'an id that is no text',
      [signed('a'), seen, () => {}, { id: 1 }],
      /\(\{ id \}\) takes a text of 1 to 512/,
    ],
    [
      'a time of 0',
      [signed('a'), seen, () => {}, { ttlMs: 0 }],
      /\(\{ ttlMs \}\) takes a whole number.*got 0\.$/,
    ],
    [
      'an unknown option',
      [signed('a'), seen, () => {}, { ttlMS: 1 }],
      /no option "ttlMS"\. Did you mean ttlMs\?/,
    ],
  ])('%s is refused', async (_, args, message) => {
    const error = await rejection(handleOnce(...args))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(message) })
    // The stack begins with the caller.
    expect(error.stack.split('\n    at ')[1]).toContain(__filename)
  })
})

describe('a store in memory', () => {
  test('knows an id until it expires', () => {
    let instant = 1000
    const seen = memorySeen({ now: () => instant })
    expect(seen.add('a', 500)).toBe(true)
    instant = 1499
    expect(seen.add('a', 500)).toBe(false)
    instant = 1500
    expect(seen.add('a', 500)).toBe(true)
    instant = 1999
    expect(seen.add('a', 500)).toBe(false)
  })

  test('says whether it knew the id that is deleted', () => {
    const seen = memorySeen()
    seen.add('a', 1000)
    expect([seen.delete('a'), seen.delete('a'), seen.add('a', 1000)]).toEqual([true, false, true])
  })

  test('drops the oldest id when it is full', () => {
    const seen = memorySeen({ max: 3 })
    for (const id of ['a', 'b', 'c', 'd']) seen.add(id, 1000)
    expect(['b', 'c', 'd'].map((id) => seen.add(id, 1000))).toEqual([false, false, false])
    expect(seen.add('a', 1000)).toBe(true)
    expect(seen.add('b', 1000)).toBe(true)
  })

  test('drops no live id while there are expired ones', () => {
    let instant = 0
    const seen = memorySeen({ max: 3, now: () => instant })
    for (const id of ['a', 'b', 'c']) seen.add(id, 10)
    instant = 5
    expect(seen.delete('c')).toBe(true)
    seen.add('live', 10)
    instant = 10
    for (const id of ['d', 'e']) seen.add(id, 10)
    expect(seen.add('live', 10)).toBe(false)
  })

  test('keeps an id that was taken again as long as a new one', () => {
    let instant = 0
    const seen = memorySeen({ max: 2, now: () => instant })
    seen.add('a', 10)
    seen.add('b', 100)
    instant = 10
    seen.add('a', 100)
    seen.add('c', 100)
    expect(seen.add('a', 100)).toBe(false)
  })

  test('keeps no more ids than its bound, whatever their number', () => {
    const seen = memorySeen({ max: 1000 })
    for (let number = 0; number < 100_000; number++) seen.add(`id-${number}`, 1000)
    let known = 0
    for (let number = 0; number < 100_000; number++) known += seen.delete(`id-${number}`) ? 1 : 0
    expect(known).toBe(1000)
  })

  test('is what a list would be that drops its oldest', () => {
    const seed = Number(process.env.SEEN_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const random = randomFrom(seed)
    for (let round = 0; round < 50; round++) {
      const max = 1 + random(8)
      let instant = 0
      const seen = memorySeen({ max, now: () => instant })
      let list = []
      for (let step = 0; step < 300; step++) {
        instant += random(3)
        const id = `id-${random(12)}`
        const entry = list.find((each) => each.id === id)
        if (random(4) === 0) {
          list = list.filter((each) => each !== entry)
          expect([seed, seen.delete(id)]).toEqual([seed, entry !== undefined])
          continue
        }
        const isNew = entry === undefined || entry.expiry <= instant
        expect([seed, seen.add(id, 10)]).toEqual([seed, isNew])
        if (!isNew) continue
        list = list.filter((each) => each.expiry > instant)
        list = [...list.slice(Math.max(0, list.length - max + 1)), { id, expiry: instant + 10 }]
      }
    }
  })

  test('does not depend on the wall clock', () => {
    const seen = memorySeen()
    seen.add('a', 1000)
    const wall = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 86_400_000)
    expect(seen.add('a', 1000)).toBe(false)
    wall.mockRestore()
  })

  test.each([
    ['max', 0],
    ['max', 1.5],
    ['max', 10_000_001],
    ['now', 0],
  ])('%s: %p is refused', (option, value) => {
    expect(() => memorySeen({ [option]: value })).toThrow(`memorySeen({ ${option} }) takes a `)
  })
})
