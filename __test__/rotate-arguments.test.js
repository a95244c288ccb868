'use strict'

const { inspect } = require('node:util')

const fc = require('fast-check')

const { parseRotate } = require('../lib/options/rotate')
const { closeAll, manager, rejection, server } = require('./support/world')

afterEach(closeAll)

const SECRET = 'hunter2+Zx9/secret'

/** What becomes of the options, for a client that authenticates in that way. */
function parse(options, clientAuth = 'basic') {
  return parseRotate(options, { clientAuth, below: parse })
}

function failure(options, clientAuth) {
  try {
    parse(options, clientAuth)
  } catch (error) {
    return error
  }
  throw new Error('These options were accepted.')
}

test('what is left out, or given as undefined, has its default', () => {
  const defaults = { deadlineMs: 300_000, supersede: false, compromised: false }
  const keys = ['clientId', 'label', 'expiresAt', 'rotationId', 'verify', 'signal']
  const nothing = Object.fromEntries([...keys, ...Object.keys(defaults)].map((key) => [key, undefined]))
  for (const options of [undefined, {}, nothing]) {
    expect(JSON.parse(JSON.stringify(parse(options)))).toEqual(defaults)
  }
})

test('every value reaches its place', () => {
  const { signal } = new AbortController()
  const given = {
    clientId: 'green',
    clientSecret: SECRET,
    label: 'autumn',
    rotationId: 'CHG-4711',
    deadlineMs: 1000,
    supersede: true,
    compromised: true,
    signal,
  }
  const verify = { url: new URL('https://api.example/me?a=b#c') }
  expect(parse({ ...given, verify, expiresAt: '2027-01-31T00:00:00+01:00' })).toEqual({
    ...given,
    verify: { url: 'https://api.example/me?a=b' },
    expiresAt: Date.UTC(2027, 0, 30, 23),
  })
})

test('deadlineMs takes whole milliseconds from 1,000 to 3,600,000', () => {
  for (const deadlineMs of [1000, 3_600_000]) expect(parse({ deadlineMs }).deadlineMs).toBe(deadlineMs)
  for (const deadlineMs of [999, 3_600_001, 1000.5, NaN, '5000', null]) {
    expect(failure({ deadlineMs }).message).toMatch(
      /^rotate\(\): deadlineMs takes a whole number of milliseconds/,
    )
  }
})

test.each([
  ['http://localhost:4000/me'],
  ['http://127.0.0.1/me'],
  ['http://[::1]/me'],
  ['https://api.example'],
])('the request to verify may go to %s', (url) => {
  expect(parse({ verify: { url } }).verify.url).toBe(new URL(url).href)
})

test.each([
  ['http://api.example/me', /takes an absolute https URL, or http of this machine; got/],
  ['http://api.localhost/me', /takes an absolute https URL, or http of this machine; got/],
  ['/me', /takes an absolute https URL/],
  ['ftp://localhost/', /takes an absolute https URL/],
  [undefined, /takes an absolute https URL, or http of this machine; got nothing/],
  ['https://me:hunter2@api.example/', /must not hold a user name or password/],
])('the request to verify may not go to %s', (url, message) => {
  expect(failure({ verify: { url } }).message).toMatch(message)
})

test.each([
  [null, /options takes an object, got null/],
  ['next', /options takes an object, got a string/],
  [{ clientSecrett: 'x' }, /clientSecrett is not a known option\. Did you mean clientSecret\?/],
  [{ clientSecret: '' }, /clientSecret takes a client secret, got an empty string/],
  [{ clientSecret: undefined }, /clientSecret takes a client secret, got nothing\. Leave it out to take/],
  [{ clientSecret: `${SECRET}\n` }, /control character \(a line break, perhaps\)/],
  [
    { clientSecret: `${SECRET}\u200b` },
    /client secret, got a string with an invisible character \(U\+200B\)/,
  ],
  [{ clientSecret: ` ${SECRET}` }, /got a string with a blank at its beginning or end/],
  [
    { clientId: 'app\u00a0', clientSecret: 'x' },
    /client id, got a string with a blank that is no plain space/,
  ],
  [{ clientSecret: 12_345_678 }, /clientSecret takes a client secret, got a number/],
  [{ clientId: 'green' }, /clientId belongs to a clientSecret/],
  [{ label: 'autumn' }, /label belongs to a clientSecret/],
  [{ expiresAt: '2027-01-31' }, /expiresAt belongs to a clientSecret/],
  [{ clientSecret: 'x', expiresAt: 1_800_000_000 }, /seems to be in seconds/],
  [{ clientSecret: 'x', expiresAt: '2027-01-31T00:00:00' }, /text with its offset/],
  [{ rotationId: 'x'.repeat(129) }, /rotationId .* at most 128 characters/],
  [{ verify: 'https://api.example' }, /verify takes an object, got a string/],
  [{ verify: { url: 'https://api.example', method: 'POST' } }, /verify\.method is not a known option/],
  [{ supersede: 1 }, /supersede takes true or false, got 1/],
  [{ compromised: 'yes' }, /compromised takes true or false/],
  [{ signal: {} }, /signal takes an AbortSignal/],
])('refuses %p', (options, message) => {
  expect(failure(options)).toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: expect.stringMatching(message),
  })
})

test('a client id with a colon cannot be sent as basic-raw', () => {
  const options = { clientId: 'a:b', clientSecret: 'x' }
  expect(parse(options, 'basic').clientId).toBe('a:b')
  expect(failure(options, 'basic-raw').message).toMatch(/'basic-raw' cannot carry/)
})

test('all problems are told at once', () => {
  const { message } = failure({ clientSecret: 7, deadlineMs: 1, supersede: 'x', unknown: 1 })
  expect(message).toMatch(/^rotate\(\) has 4 problems:\n/)
  expect(message.match(/^ {2}- /gm)).toHaveLength(4)
})

test('whatever is given, it is accepted or ERR_INVALID_ARGUMENT, and no secret is repeated', () => {
  const anything = fc.oneof(
    fc.anything({ maxDepth: 1, withBigInt: true, withDate: true }),
    fc.constantFrom(SECRET, `${SECRET}\n`, [SECRET], { value: SECRET }, { url: `https://u:${SECRET}@x` }),
  )
  const keys = ['clientId', 'clientSecret', 'label', 'expiresAt', 'rotationId', 'deadlineMs', 'verify']
  const shape = Object.fromEntries([...keys, 'supersede', 'signal', 'other'].map((key) => [key, anything]))
  const options = fc.oneof(anything, fc.record(shape, { requiredKeys: [] }))
  const property = fc.property(options, (given) => {
    try {
      parse(given, 'basic-raw')
    } catch (error) {
      if (error.code !== 'ERR_INVALID_ARGUMENT') throw error
      expect([inspect(error, { showHidden: true }), JSON.stringify(error)].join()).not.toContain(SECRET)
    }
  })
  fc.assert(property, { numRuns: 300 })
})

describe('of a manager', () => {
  const WRONG = [null, 7, 'x', [], { signal: 7 }, { other: 1 }]

  test.each([
    ['rotate', [...WRONG, { deadlineMs: 1 }]],
    [
      'prepareRotation',
      [...WRONG, { minRunwayMs: -1 }, { minRunwayMs: 0.5 }, { minRunwayMs: 38_880_000_001 }],
    ],
  ])('%s rejects and never throws, with the stack of its caller', async (method, wrong) => {
    const tokens = manager(await server())
    for (const options of wrong) {
      const error = await rejection(tokens[method](options))
      expect(error.code).toBe('ERR_INVALID_ARGUMENT')
      expect(error.stack.split('\n').filter((line) => line.startsWith('    at '))[0]).toContain(__filename)
    }
  })

  test('after close every call rejects with ERR_CLOSED, and there is no rotation', async () => {
    const tokens = manager(await server())
    await tokens.close()
    for (const refused of [tokens.rotate(), tokens.rotate({ clientSecret: 'x' }), tokens.prepareRotation()]) {
      expect((await rejection(refused)).code).toBe('ERR_CLOSED')
    }
    expect(tokens.rotation()).toBeUndefined()
  })

  test('an aborted signal rejects with its reason before anything is asked for', async () => {
    const tokens = manager(await server())
    const signal = AbortSignal.abort(new Error('too late'))
    for (const refused of [
      tokens.rotate({ clientSecret: 'x', signal }),
      tokens.prepareRotation({ signal }),
    ]) {
      expect(await rejection(refused)).toBe(signal.reason)
    }
  })
})
