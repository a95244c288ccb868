'use strict'

const { createFetch } = require('../lib/integrations/fetch')
const { attach: attachToAxios } = require('../lib/integrations/axios')
const { attach: attachToSdk } = require('../lib/integrations/genesys')
const { fakeTokens } = require('../lib/testing')
const { createInterceptor } = require('../lib/integrations/undici')
const { sdkClient } = require('./support/http-clients')

const axios = require('axios')
const { ApiClient } = require('purecloud-platform-client-v2')

/** Each adapter, with what is right but for its tokens and options. */
const ADAPTERS = [
  ['createFetch', (tokens, options) => createFetch(tokens, options)],
  ['createInterceptor', (tokens, options) => createInterceptor(tokens, options)],
  ['attach', (tokens, options) => attachToAxios(axios.create(), tokens, options)],
  ['attach', (tokens, options) => attachToSdk(sdkClient(ApiClient, 'https://a.example'), tokens, options)],
]

const origins = ['https://api.example.com']

function failure(call) {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}

describe.each(ADAPTERS)('%s()', (name, adapt) => {
  test.each([
    ['no tokens', undefined, { origins }, /takes a TokenManager.*got nothing\.$/],
    [
      'a token in their place',
      'a-token',
      { origins },
      /takes a TokenManager.*got a string of 7 characters\.$/,
    ],
    ['a getToken alone', { getToken() {} }, { origins }, /got an object\.$/],
    ['options that are none', fakeTokens(), 'https://x', /takes an object \{ origins.*got a string/],
    ['an unknown option', fakeTokens(), { origins, orgins: [] }, /no option .*Did you mean origins\?/],
    [
      'origins as a text',
      fakeTokens(),
      { origins: 'https://api.example.com' },
      /takes a list of origins.*string/,
    ],
    ['no origin', fakeTokens(), { origins: [] }, /takes a list of origins.*got an empty one\.$/],
    ['a list of nothing', fakeTokens(), { origins: Array(1) }, /origins\[0\] is nothing/],
    ['a path', fakeTokens(), { origins: ['https://api.example.com/api/v2'] }, /origins\[0\] has more: leave/],
    ['a user', fakeTokens(), { origins: ['https://user@api.example.com'] }, /origins\[0\] has more: leave/],
    ['a wildcard', fakeTokens(), { origins: ['https://*.example.com'] }, /no wildcards; origins\[0\]/],
    ['a name without a scheme', fakeTokens(), { origins: ['api.example.com'] }, /origins\[0\] is a string/],
    ['another scheme', fakeTokens(), { origins: [...origins, 'ftp://x'] }, /origins\[1\] is a string/],
    ['what cannot be read', fakeTokens(), { origins: [{ toString: null }] }, /origins\[0\] is an object/],
    [
      'plain http',
      fakeTokens(),
      { origins: ['http://api.example.com'] },
      /origins\[0\] is plain http.*allowInsecure/,
    ],
    ['the two swapped', { origins }, fakeTokens(), /takes a TokenManager.*got an object\.$/],
    ['a flag that is none', fakeTokens(), { origins, allowInsecureHttp: 1 }, /true or false, got 1/],
  ])('refuses %s, with the stack of its caller', (_, tokens, options, message) => {
    const error = failure(() => adapt(tokens, options))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(message) })
    expect(error.message.startsWith(`${name}(`)).toBe(true)
    expect(error.stack.split('\n')[1]).toMatch(/http-arguments\.test\.js/)
    expect(error.message).not.toMatch(/a-token/)
  })

  test.each([
    ['plain http on this machine', { origins: ['http://127.0.0.1:8080', 'http://localhost'] }],
    ['plain http where it is allowed', { origins: ['http://api.internal'], allowInsecureHttp: true }],
    [
      'an origin with a slash, and as a URL',
      { origins: ['https://a.example/', new URL('https://b.example')] },
    ],
  ])('takes %s', (_, options) => {
    expect(typeof adapt(fakeTokens(), options)).toBe('function')
  })
})

const [create, use] = [() => {}, () => {}]

test.each([
  [
    'axios',
    attachToAxios,
    [
      undefined,
      {},
      () => {},
      { interceptors: null },
      'axios',
      { create, interceptors: {} },
      { create, interceptors: { request: { use } } },
      { create, interceptors: { response: { use } } },
      { interceptors: { request: { use }, response: { use } } },
    ],
    /^attach\(instance, tokens\) takes axios \(its default export\) or what/,
  ],
  [
    'the SDK',
    attachToSdk,
    [undefined, {}, 'client', require('purecloud-platform-client-v2'), { callApi() {} }, { buildUrl() {} }],
    /^attach\(client, tokens\) takes an ApiClient/,
  ],
])('attach() refuses what is not of %s', (_, attach, values, message) => {
  for (const value of values) {
    const error = failure(() => attach(value, fakeTokens(), { origins }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(message) })
    expect(error.stack.split('\n')[1]).toMatch(/http-arguments\.test\.js/)
  }
})

test.each([
  [undefined, /needs \{ origins \}: there is no baseURL to take the origin from\.$/],
  ['/api', /needs \{ origins \}: the baseURL is no http or https URL\.$/],
  ['http://a.example', /the baseURL is plain http: use https, or set allowInsecureHttp/],
])('attach() of axios with the base %s needs origins', (baseURL, message) => {
  const error = failure(() => attachToAxios(axios.create({ baseURL }), fakeTokens()))
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(message) })
})

test('attach() of the SDK with a region in plain http needs origins', () => {
  const error = failure(() => attachToSdk(sdkClient(ApiClient, 'http://a.example'), fakeTokens()))
  expect(error.message).toMatch(/the URL of its API is plain http: use https, or set allowInsecureHttp/)
})

test.each([
  ['createFetch', createFetch],
  ['createInterceptor', createInterceptor],
])('%s() has no origins of its own', (_, adapt) => {
  for (const options of [undefined, {}]) {
    const error = failure(() => adapt(fakeTokens(), options))
    expect(error).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringMatching(/takes a list of origins.*got nothing\.$/),
    })
  }
})

test('createFetch() refuses a fetch that is none', () => {
  expect(() => createFetch(fakeTokens(), { origins, fetch: 'fetch' })).toThrow(
    /takes a function such as fetch/,
  )
})
