'use strict'

const { attach } = require('../lib/integrations/axios')
const { fakeTokens } = require('../lib/testing')
const { guardedServer } = require('./support/resource-server')
const { closeAll } = require('./support/world')

afterEach(closeAll)

test.each(['axios', 'axios-oldest'])('%s may have an interceptor that makes plain headers', async (name) => {
  const server = await guardedServer(new Set(['test-token-1']))
  const instance = require(name).create({ baseURL: server.url, proxy: false })
  attach(instance, fakeTokens())
  instance.interceptors.request.use((config) => {
    config.headers = { ...config.headers, 'x-mine': 'kept' }
    return config
  })
  const { config } = await instance.get('/')
  await instance.request(config)
  expect(server.requests.map(({ token }) => token)).toEqual(['test-token-1', 'test-token-2', 'test-token-2'])
  for (const { headers } of server.requests) expect(headers['x-mine']).toBe('kept')

  await instance.get('/', { headers: { Authorization: 'Basic abc' }, validateStatus: null })
  expect(server.requests.at(-1).headers.authorization).toBe('Basic abc')
})

test('an axios that is too old gets no token, and is told so', async () => {
  let authorize
  const interceptors = {
    request: { use: (fulfilled) => (authorize = fulfilled), eject() {} },
    response: { use() {}, eject() {} },
  }
  const origins = ['https://api.example.com']
  attach({ create() {}, defaults: {}, interceptors }, fakeTokens(), { origins })
  // The headers of axios 0.27 are an object without methods, where it transforms a request as well.
  const headers = {}
  const config = await authorize({ url: 'https://api.example.com/', headers })
  expect(() => config.transformRequest.at(-1).call(config, undefined, headers)).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_ARGUMENT',
      message: 'attach(instance, tokens) needs axios 1.5 or later.',
    }),
  )
  expect(headers).toEqual({})
})
