'use strict'

const { inspect } = require('node:util')

const { parseOptions } = require('../lib/options/manager')
const { genesysCloud, oauth2 } = require('../lib/options/provider')
const { fromEnv } = require('../lib/options/sources')
const { systemTimeZone } = require('../lib/options/time-zone')
const { version } = require('../package.json')
const { createClock } = require('../lib/testing')
const { failure, parse, valid } = require('./support/seam')

test('what is left out has its default', () => {
  const { name, timeZone, strict, sources, native } = parse(valid())
  expect({ name, timeZone, strict, sources }).toEqual({
    name: undefined,
    timeZone: undefined,
    strict: false,
    sources: [],
  })
  expect(native).toEqual({
    endpoint: {
      tokenUrl: 'https://idp.example/token',
      clientAuth: 'basic',
      resource: [],
      params: [],
      defaultLifetimeMs: 300_000,
      ignoreExpiresIn: false,
      treatAsBearer: false,
      rejectedErrors: expect.any(Array),
      propagationMs: 0,
    },
    transport: { ca: [], userAgent: `oauth-rotor/${version}`, requestTimeoutMs: 10_000 },
    policy: {
      jitterRatio: 0.1,
      acquireTimeoutMs: 5000,
      sourcePollMs: 10_000,
      persistTimeoutMs: 30_000,
      proveEveryMs: 21_600_000,
    },
    entries: [
      {
        optional: false,
        source: {
          kind: 'fields',
          clientId: { kind: 'value', value: 'app' },
          clientSecret: { kind: 'value', value: 'hunter2-secret' },
        },
      },
    ],
    initial: [],
  })
})

test('what is given as undefined has its default', () => {
  const keys = ['name', 'refreshBeforeMs', 'jitterRatio', 'expiryMarginMs', 'maxTokenAgeMs', 'minRunwayMs']
  const more = ['acquireTimeoutMs', 'requestTimeoutMs', 'sourcePollMs', 'overlapMs', 'timeZone', 'strict']
  const last = ['persistTimeoutMs', 'proveEveryMs']
  const nothing = Object.fromEntries([...keys, ...more, ...last].map((key) => [key, undefined]))
  expect(parse(valid(nothing)).native).toEqual(parse(valid()).native)
})

test('every value reaches its place', () => {
  const policy = {
    refreshBeforeMs: 1,
    jitterRatio: 0.5,
    expiryMarginMs: 2,
    maxTokenAgeMs: 3000,
    minRunwayMs: 4,
    acquireTimeoutMs: 5,
    sourcePollMs: 60,
    overlapMs: 7000,
    persistTimeoutMs: 800,
    proveEveryMs: 90_000,
  }
  const options = valid({
    ...policy,
    name: 'webhooks',
    requestTimeoutMs: 7,
    timeZone: 'America/Sao_Paulo',
    strict: true,
  })
  const { name, timeZone, strict, native } = parse(options)
  expect({ name, timeZone, strict }).toEqual({
    name: 'webhooks',
    timeZone: 'America/Sao_Paulo',
    strict: true,
  })
  expect(native).toMatchObject({ name: 'webhooks', policy, transport: { requestTimeoutMs: 7 } })
})

test('strict is on under Lambda, unless it is given', () => {
  const env = { AWS_LAMBDA_FUNCTION_NAME: 'webhooks' }
  expect(parse(valid(), { env }).strict).toBe(true)
  expect(parse(valid({ strict: false }), { env }).strict).toBe(false)
})

test("without a time zone it is the system's, and UTC where that is unknown", () => {
  const system = Intl.DateTimeFormat().resolvedOptions().timeZone
  expect(systemTimeZone((zone) => zone === system)).toBe(system)
  expect(systemTimeZone(() => false)).toBe('UTC')
})

test('proveEveryMs may also be 0, and reaches its place', () => {
  expect(parse(valid({ proveEveryMs: 0 })).native.policy.proveEveryMs).toBe(0)
})

const DAYS_450 = 38_880_000_000
const BOUNDS = [
  ['refreshBeforeMs', 0, DAYS_450],
  ['expiryMarginMs', 0, 3_600_000],
  ['maxTokenAgeMs', 1000, DAYS_450],
  ['minRunwayMs', 0, DAYS_450],
  ['acquireTimeoutMs', 1, 3_600_000],
  ['requestTimeoutMs', 1, 3_600_000],
  ['sourcePollMs', 10, 86_400_000],
  ['overlapMs', 1000, 604_800_000],
  ['persistTimeoutMs', 100, 3_600_000],
  ['proveEveryMs', 60_000, DAYS_450],
]

test.each(BOUNDS)('%s takes whole milliseconds from %d to %d', (option, least, most) => {
  for (const value of [least, most]) expect(() => parse(valid({ [option]: value }))).not.toThrow()
  for (const value of [
    least - 1,
    most + 1,
    least + 0.5,
    NaN,
    Infinity,
    `${least}`,
    `${least} ms`,
    null,
    true,
    [least],
    {},
  ]) {
    const { problems } = failure(valid({ [option]: value }))
    expect(problems).toEqual([
      { option, message: expect.stringMatching(/whole number of milliseconds from .* to .*, got /) },
    ])
  }
})

test.each([
  [{ acquireTimeoutMs: -1 }, 'acquireTimeoutMs', /from 1 to 3,600,000, got -1/],
  [{ acquireTimeoutMs: '5000' }, 'acquireTimeoutMs', /got a string of 4 characters\. Convert it with Number/],
  [{ jitterRatio: 1.1 }, 'jitterRatio', /from 0 to 1, got 1\.1/],
  [{ jitterRatio: NaN }, 'jitterRatio', /got NaN/],
  [{ jitterRatio: '0.1' }, 'jitterRatio', /got a string/],
  [{ strict: 1 }, 'strict', /true or false, got 1/],
  [{ name: '' }, 'name', /empty string/],
  [{ name: 'a\nb' }, 'name', /control character/],
  [{ name: 'x'.repeat(129) }, 'name', /at most 128 characters, got 129/],
  [{ name: 7 }, 'name', /takes a name, got a number/],
  [
    { timeZone: 'America/Sao_Paolo' },
    'timeZone',
    /got "America\/Sao_Paolo"\. Did you mean 'America\/Sao_Paulo'\?/,
  ],
  [{ timeZone: 'GMT-3' }, 'timeZone', /IANA time zone/],
  [{ timeZone: 'hT7-ksUuHq2' }, 'timeZone', /got a string of 11 characters\./],
  [{ timeZone: -3 }, 'timeZone', /got a number/],
  [{ maxTokenAgeMs: 60_000, minRunwayMs: 30_001 }, 'minRunwayMs', /at most half of maxTokenAgeMs \(60000\)/],
  [{ maxTokenAgeMs: 60_000, expiryMarginMs: 60_000 }, 'expiryMarginMs', /less than maxTokenAgeMs \(60000\)/],
  [
    { store: { redis: 'redis://x' } },
    'store',
    /not a known option\. Known here: name, provider, credentials/,
  ],
  [{ refresh_before_ms: 1 }, 'refresh_before_ms', /Did you mean refreshBeforeMs\?/],
  [{ accquireTimeoutMs: 1 }, 'accquireTimeoutMs', /Did you mean acquireTimeoutMs\?/],
  [{ 'odd key\n': 1 }, '[key 3, of 8 characters]', /not a known option/],
])('refuses %j', (changes, option, message) => {
  const error = failure(valid(changes))
  expect(error).toMatchObject({
    code: 'ERR_INVALID_OPTION',
    name: 'InvalidOptionError',
    retryable: false,
    option,
  })
  expect(error.problems).toEqual([{ option, message: expect.stringMatching(message) }])
  expect(error.message).toBe(`Invalid option: ${option} ${error.problems[0].message}`)
})

test.each([[undefined], [null], [3], ['x'], [[]], [() => {}]])('refuses %p for options', (options) => {
  expect(failure(options).message).toMatch(/^Invalid option: options takes an object, got /)
})

test('options at their limits are accepted together', () => {
  expect(() =>
    parse(valid({ maxTokenAgeMs: 60_000, minRunwayMs: 30_000, expiryMarginMs: 59_999 })),
  ).not.toThrow()
})

test('all problems are told at once, each once', () => {
  const provider = oauth2({ tokenurl: 'https://idp.example', clientAuth: 'none', tls: { ca: 7 } })
  const error = failure({ provider, credentials: [fromEnv('A', 'B'), {}], acquireTimeoutMs: 0, tokenAge: 1 })
  const options = error.problems.map(({ option }) => option)
  expect(options.sort()).toEqual([
    'acquireTimeoutMs',
    'credentials[0]',
    'credentials[1].clientId',
    'credentials[1].clientSecret',
    'provider.clientAuth',
    'provider.tls.ca',
    'provider.tokenUrl',
    'provider.tokenurl',
    'tokenAge',
  ])
  expect(error.message).toMatch(/^9 invalid options:\n/)
  for (const { option, message } of error.problems)
    expect(error.message).toContain(`\n  - ${option} ${message}`)
})

test('the stack begins where the options were given', () => {
  class Manager {
    constructor(options) {
      parseOptions(options, { isTimeZone: () => true, genesysHost: () => '{}', env: {}, below: Manager })
    }
  }
  const thrown = () => new Manager({})
  const { stack } = (() => {
    try {
      return thrown()
    } catch (error) {
      return error
    }
  })()
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '))
  expect(frames[0]).toMatch(/options\.test\.js/)
  expect(stack).not.toMatch(/lib.options\.js/)
})

test('objects that cannot be read are wrong values and nothing worse', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const trap = Object.defineProperty({}, 'tokenUrl', {
    enumerable: true,
    get() {
      throw new Error('hunter2-secret')
    },
  })
  const cycle = {}
  cycle.tls = cycle
  for (const odd of [proxy, trap, cycle]) {
    const inside = {
      tokenUrl: odd,
      scope: odd,
      resource: [odd],
      params: { a: odd },
      tls: { key: odd },
      proxy: odd,
    }
    for (const provider of [odd, oauth2(odd), oauth2(inside), genesysCloud({ region: odd })]) {
      const error = failure({ provider, credentials: [odd, { clientId: odd, clientSecret: odd }], name: odd })
      expect(error.code).toBe('ERR_INVALID_OPTION')
      expect(inspect(error)).not.toContain('hunter2-secret')
    }
    expect(failure(odd).code).toBe('ERR_INVALID_OPTION')
  }
})

test('the result cannot be changed', () => {
  expect(Object.isFrozen(parse(valid()))).toBe(true)
})

test('a key that names the prototype is one more unknown key, and changes no prototype', () => {
  const { provider, credentials } = valid()
  for (const key of ['__proto__', 'constructor', 'prototype']) {
    const hostile = JSON.parse(`{"${key}": {"polluted": true}}`)
    const problems = [
      ...failure({ provider, credentials, ...hostile }).problems,
      ...failure({ provider, credentials: Object.assign(JSON.parse(`{"${key}": 1}`), credentials) }).problems,
    ]
    expect(problems).toEqual([
      { option: key, message: expect.stringContaining('is not a known option') },
      { option: `credentials.${key}`, message: expect.stringContaining('is not a known option') },
    ])
  }
  expect({}.polluted).toBeUndefined()
})

test('a clock is one that createClock() made', () => {
  const clock = createClock()
  expect(parse(valid({ clock })).clock).toBe(clock)
  expect(parse(valid()).clock).toBeUndefined()
  const hostile = new Proxy({}, { get: () => JSON.parse('') })
  for (const wrong of [null, Date, {}, 0, hostile]) {
    const { option, message } = failure(valid({ clock: wrong })).problems[0]
    expect(option).toBe('clock')
    expect(message).toMatch(/takes what createClock\(\) of 'oauth-rotor\/testing' returns, got /)
  }
})
