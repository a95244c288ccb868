'use strict'

const { oauth2 } = require('../lib/options/provider')
const { callbackReader } = require('../lib/options/readers')
const { parseRotate } = require('../lib/options/rotate')
const { failure, parse, valid } = require('./support/seam')

const MILLION = 1_000_000

/** A list that counts how many of its items somebody looks at. */
function watched(length, item = undefined) {
  const seen = new Set()
  const list = new Proxy([], {
    get: (_, key) => {
      if (key === 'length') return length
      if (/^\d+$/.test(String(key))) seen.add(key)
      return item
    },
  })
  return { list, seen }
}

test.each([[MILLION], [2 ** 32 - 1], [Number.MAX_SAFE_INTEGER], [Infinity]])(
  'of a list of %d credentials a bounded part is looked at, and one problem is told',
  (length) => {
    const { list, seen } = watched(length, { clientId: 'app', clientSecret: 'hunter2-secret' })
    const error = failure(valid({ credentials: list }))
    expect(error.message).toBe('Invalid option: credentials takes at most 1,000 items, got more.')
    expect(error.problems).toHaveLength(1)
    expect(seen.size).toBeLessThanOrEqual(1001)
  },
)

test('a million wrong credentials make an error of bounded size', () => {
  const error = failure(valid({ credentials: Array.from({ length: MILLION }, () => ({})) }))
  expect(error.message.length).toBeLessThan(10_000)
  expect(error.problems.length).toBeLessThanOrEqual(20)
})

test('a list that is sparse is not walked either', () => {
  const credentials = []
  credentials.length = 2 ** 32 - 1
  expect(failure(valid({ credentials })).option).toBe('credentials')
})

test('a thousand credentials are accepted', () => {
  const credentials = Array.from({ length: 1000 }, (_, i) => ({ clientId: 'app', clientSecret: `s${i}` }))
  expect(parse(valid({ credentials })).native.entries).toHaveLength(1000)
})

test('of more than twenty problems the first twenty are told, and how many more there are', () => {
  const error = failure(valid({ credentials: Array.from({ length: 600 }, () => ({})) }))
  expect(error.problems).toHaveLength(20)
  expect(error.problems[19].option).toBe('credentials[9].clientSecret')
  expect(error.option).toBe('credentials[0].clientId')
  expect(error.message).toMatch(/^1200 invalid options:\n {2}- credentials\[0\]/)
  expect(error.message).toMatch(/\n {2}- and 1,180 more$/)
  expect(error.message.split('\n')).toHaveLength(22)
})

test.each([
  ['provider.resource', (list) => ({ resource: list })],
  ['provider.rejectedErrors', (list) => ({ rejectedErrors: list })],
  ['provider.tls.ca', (list) => ({ tls: { ca: list } })],
  ['provider.params', (_, object) => ({ params: object })],
  ['provider', (_, object) => object],
])('%s has an end, too', (option, make) => {
  const { list, seen } = watched(MILLION)
  const object = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, 'v']))
  const provider = oauth2({ tokenUrl: 'https://idp.example/token', ...make(list, object) })
  const { problems } = failure(valid({ provider }))
  expect(problems).toContainEqual({ option, message: 'takes at most 1,000 items, got more.' })
  expect(problems.length).toBeLessThanOrEqual(20)
  expect(seen.size).toBeLessThanOrEqual(1001)
})

test('a function that yields a million credentials has failed', async () => {
  const { list, seen } = watched(MILLION, { clientId: 'app', clientSecret: 'hunter2-secret' })
  expect(await callbackReader(async () => list).read()).toEqual({
    kind: 'error',
    message: 'yields more than 1000 credentials',
  })
  expect(seen.size).toBeLessThanOrEqual(1001)
})

test('rotate() tells of a bounded number of problems', () => {
  const options = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]))
  const refused = () => parseRotate(options, { clientAuth: 'basic', below: parseRotate })
  expect(refused).toThrow(/^rotate\(\) has 500 problems:\n(.*\n){20} {2}- and 480 more$/)
})
