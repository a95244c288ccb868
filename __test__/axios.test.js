'use strict'

const { inspect } = require('node:util')
const { attach } = require('../lib/integrations/axios')
const { fakeTokens } = require('../lib/testing')
const { guardedServer, resourceServer } = require('./support/resource-server')
const { closeAll, rejection } = require('./support/world')

afterEach(closeAll)

describe.each(['axios', 'axios-oldest'])('%s', (library) => {
  const axios = require(library)
  const create = (server, config) => axios.create({ baseURL: server.url, proxy: false, ...config })
  const tokensOf = ({ requests }) => requests.map(({ token }) => token)

  test('interceptors see a repeated request once, and the answer that counts', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const api = create(server)
    const seen = []
    attach(api, fakeTokens())
    api.interceptors.request.use((config) => {
      seen.push(config.url)
      return { ...config, url: `/v2${config.url}` }
    })
    api.interceptors.response.use((response) => {
      seen.push(response.status)
      return response
    })
    const { data, config } = await api.post('/x', { quoted: '"' }, { transformResponse: [JSON.parse] })
    expect(data).toEqual({ quoted: '"' })
    expect(config.url).toBe('/v2/x')
    expect(seen).toEqual(['/x', 200])
    expect(server.requests.map(({ path, body }) => [path, body.toString()])).toEqual([
      ['/v2/x', '{"quoted":"\\""}'],
      ['/v2/x', '{"quoted":"\\""}'],
    ])
  })

  test('a retry of the config of an error carries the token of its moment, and is repeated, too', async () => {
    const refused = new Set(['test-token-2'])
    const server = await resourceServer(({ token }) => {
      if (token === 'test-token-1') return { status: 503 }
      return refused.has(token) ? { status: 401 } : {}
    })
    const api = create(server)
    const tokens = fakeTokens()
    attach(api, tokens)
    const error = await rejection(api.post('/x', { a: 1 }))
    tokens.invalidate('test-token-1')
    expect((await api(error.config)).data).toEqual({ a: 1 })
    expect(tokensOf(server)).toEqual(['test-token-1', 'test-token-2', 'test-token-3'])
  })

  test('a retry of a request with an Authorization of its own keeps that', async () => {
    const answers = [503, 200]
    const server = await resourceServer(() => ({ status: answers.shift() }))
    const api = create(server)
    attach(api, fakeTokens())
    const error = await rejection(api.get('/', { headers: { Authorization: 'Basic mine' } }))
    await api(error.config)
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Basic mine', 'Basic mine'])
  })

  test('neither a response nor an error shows the token, whoever prints it', async () => {
    const answers = [200, 500, 401, 401]
    const server = await resourceServer(() => ({ status: answers.shift() }))
    const api = create(server)
    attach(api, fakeTokens())
    const response = await api.get('/')
    const failed = await rejection(api.get('/'))
    const refused = await rejection(api.get('/'))
    await server.close()
    const unreachable = await rejection(api.get('/'))
    for (const outcome of [response, failed, refused, unreachable]) {
      expect(inspect(outcome, { depth: 12, showHidden: true })).not.toMatch(/test-token/)
      expect(JSON.stringify(outcome.request ?? null)).not.toMatch(/test-token/)
      if (outcome.toJSON) expect(JSON.stringify(outcome.toJSON())).not.toMatch(/test-token/)
    }
    expect(failed.request.getHeader('authorization')).toBe('Bearer test-token-1')
    expect(tokensOf(server)).toEqual(['test-token-1', 'test-token-1', 'test-token-1', 'test-token-2'])
  })

  test.each([
    ['with the whole URL', (server) => ({ url: `${server.url}/x` })],
    ['with a base', (server) => ({ baseURL: server.url, url: 'x' })],
    ['with no more than a base', (server) => ({ baseURL: `${server.url}/x` })],
    [
      'with a base that must be kept to',
      (server) => ({ baseURL: server.url, url: 'x', allowAbsoluteUrls: false }),
    ],
    ['with a URL in its query', (server) => ({ baseURL: server.url, url: 'x?next=http://a.example' })],
    ['with what looks like a user in its query', (server) => ({ url: `${server.url}/x?//me@a.example` })],
  ])('a listed origin gets the token %s', async (_, config) => {
    const server = await resourceServer()
    const api = axios.create({ proxy: false })
    attach(api, fakeTokens(), { origins: [server.url] })
    await api.request(config(server))
    expect(server.requests).toMatchObject([
      { path: expect.stringMatching(/^\/x(\?|$)/), token: 'test-token-1' },
    ])
  })

  test.each([
    ['another port', (url) => ({ url })],
    ['another base', (url) => ({ baseURL: url, url: '/' })],
    [
      'a base with the listed origin as its user',
      (url, api) => ({ url: url.replace('//', `//${api.host}@`) }),
    ],
  ])('%s gets none', async (_, config) => {
    const [server, other] = [await resourceServer(), await resourceServer()]
    const api = create(server)
    attach(api, fakeTokens())
    await api.request(config(`${other.url}/`, new URL(server.url))).catch(() => {})
    expect(other.requests.map(({ token }) => token)).toEqual(Array(other.requests.length).fill(undefined))
    expect(server.requests).toEqual([])
  })

  test('a redirect to another host, also below the same, takes the token off, and its 401 is left alone', async () => {
    const server = await resourceServer(({ path, headers }) => {
      if (path === '/near') return { status: 302, headers: { Location: '/here' } }
      if (path === '/here') return {}
      if (path === '/far') return { status: 302, headers: { Location: `http://sub.${headers.host}/there` } }
      return { status: 401 }
    })
    const { port } = new URL(server.url)
    const followed = []
    const api = axios.create({
      baseURL: `http://localhost:${port}`,
      proxy: false,
      lookup: (name, options, done) =>
        done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4),
      beforeRedirect: ({ path }) => followed.push(path),
    })
    const tokens = fakeTokens()
    attach(api, tokens)
    await api.get('/near')
    const headers = { 'x-mine': 'kept' }
    expect(await rejection(api.get('/far', { headers }))).toMatchObject({ response: { status: 401 } })
    expect(server.requests.at(-1).headers['x-mine']).toBe('kept')
    expect(followed).toEqual(['/here', '/there'])
    expect(server.requests.map(({ path, token }) => [path, token])).toEqual([
      ['/near', 'test-token-1'],
      ['/here', 'test-token-1'],
      ['/far', 'test-token-1'],
      ['/there', undefined],
    ])
    expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
  })

  test.each([
    ['auth', { auth: { username: 'a', password: 'b' } }, /^Basic /],
    ['an Authorization of its own', { headers: { authorization: 'Bearer mine' } }, /^Bearer mine$/],
    ['no Authorization at all', { headers: { Authorization: false } }, /^undefined$/],
  ])('a request that asks for %s has it', async (_, config, expected) => {
    const server = await resourceServer(() => ({ status: 401 }))
    const api = create(server)
    attach(api, fakeTokens())
    await rejection(api.get('/', config))
    expect(server.requests).toHaveLength(1)
    expect(String(server.requests[0].headers.authorization)).toMatch(expected)
  })

  test('a 401 that the caller takes for a success is repeated as well', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const api = create(server, { validateStatus: () => true })
    attach(api, fakeTokens())
    expect((await api.get('/')).status).toBe(200)
  })

  test.each([
    ['was held', 'first'],
    ['was waited for', undefined],
  ])('a token that %s is not sent when it was dropped before the request is', async (_, held) => {
    const server = await resourceServer()
    const api = create(server)
    let current = held
    const tokens = {
      peek: () => current,
      getToken: async () => (current = tokens.given.shift()),
      given: held ? ['second'] : ['first', 'second'],
      invalidate: () => true,
    }
    // It runs after that of attach.
    api.interceptors.request.use(async (config) => {
      current = undefined
      return config
    })
    attach(api, tokens)
    expect((await api.post('/', { a: 1 })).data).toEqual({ a: 1 })
    expect(tokensOf(server)).toEqual(['second'])
  })

  test('the token goes where the instance goes when its base changes', async () => {
    const [server, other] = [await resourceServer(), await resourceServer()]
    const api = create(server)
    attach(api, fakeTokens())
    api.defaults.baseURL = other.url
    await api.get('/')
    expect(tokensOf(other)).toEqual(['test-token-1'])
  })

  test('after detach() requests are sent as they are', async () => {
    const server = await resourceServer()
    const api = create(server)
    const detach = attach(api, fakeTokens())
    detach()
    detach()
    await api.get('/')
    expect(tokensOf(server)).toEqual([undefined])
    const left = jest.fn()
    for (const interceptors of Object.values(api.interceptors)) interceptors.forEach(left)
    expect(left).not.toHaveBeenCalled()
  })

  test('the last one that was attached counts', async () => {
    const server = await resourceServer()
    const api = create(server)
    attach(api, fakeTokens({ token: 'first' }))
    const detach = attach(api, fakeTokens({ token: 'second' }))
    await api.get('/')
    detach()
    await api.get('/')
    expect(tokensOf(server)).toEqual(['second-1', 'first-1'])
  })

  test('a 401 as a stream is not handed on, and the answer is', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const api = create(server, { responseType: 'stream' })
    attach(api, fakeTokens())
    const { data } = await api.post('/', 'text')
    expect(Buffer.concat(await data.toArray()).toString()).toBe('text')
  })

  describe('a config that was sent before', () => {
    const below = (server) => {
      const { port } = new URL(server.url)
      return {
        baseURL: `http://localhost:${port}`,
        lookup: (name, options, done) =>
          done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4),
      }
    }

    test('may be sent twice at once: no redirect below the host has the token', async () => {
      const server = await resourceServer(({ path, headers }) => {
        if (path === '/first') return { status: 503 }
        return path === '/far'
          ? { status: 302, headers: { Location: `http://sub.${headers.host}/there` } }
          : {}
      })
      const api = create(server, below(server))
      attach(api, fakeTokens())
      const { config } = await rejection(api.get('/first'))
      await Promise.all([api({ ...config, url: '/far' }), api({ ...config, url: '/far' })])
      const there = server.requests.filter(({ path }) => path === '/there')
      expect(there.map(({ token }) => token)).toEqual([undefined, undefined])
    })

    test('may get a beforeRedirect, which is called, and the token is taken off', async () => {
      const server = await resourceServer(({ path, headers }) =>
        path === '/far' ? { status: 302, headers: { Location: `http://sub.${headers.host}/there` } } : {},
      )
      const api = create(server, below(server))
      const called = []
      const beforeRedirect = (...args) => called.push(args.length)
      // It runs after that of attach.
      api.interceptors.request.use((config) => ({ ...config, beforeRedirect }))
      attach(api, fakeTokens())
      const { config } = await api.get('/far')
      await api({ ...config, beforeRedirect })
      expect(server.requests.filter(({ path }) => path === '/there').map(({ token }) => token)).toEqual([
        undefined,
        undefined,
      ])
      expect(called).toHaveLength(2)
      // All that axios gives it.
      expect(called[0]).toBe(library === 'axios' ? 3 : 1)
    })

    test('keeps the beforeRedirect that it was given', async () => {
      const server = await resourceServer(({ path }) =>
        path === '/x' ? { status: 302, headers: { Location: '/there' } } : {},
      )
      const api = create(server)
      attach(api, fakeTokens())
      const beforeRedirect = jest.fn()
      const { config } = await api.get('/x', { beforeRedirect })
      await api(config)
      await api(config)
      expect(beforeRedirect).toHaveBeenCalledTimes(3)
    })

    test('drops only the token that it was sent with', async () => {
      const held = []
      const server = await resourceServer(async ({ path, token }) => {
        if (path === '/first') return { status: 503 }
        if (token !== 'test-token-1') return {}
        await new Promise((resolve) => held.push(resolve))
        return { status: 401 }
      })
      const api = create(server)
      const tokens = fakeTokens()
      attach(api, tokens)
      const { config } = await rejection(api.get('/first'))
      const late = api({ ...config, url: '/late' })
      while (held.length === 0) await new Promise(setImmediate)
      tokens.invalidate('test-token-1')
      await api({ ...config, url: '/early' })
      held[0]()
      expect((await late).status).toBe(200)
      const dropped = tokens.history.filter(({ method }) => method === 'invalidate').map(({ token }) => token)
      expect(dropped).toEqual(['test-token-1', 'test-token-1'])
    })

    test('drops nothing when it is sent to another origin', async () => {
      const [server, other] = [await resourceServer(), await resourceServer(() => ({ status: 401 }))]
      const api = create(server)
      const tokens = fakeTokens()
      attach(api, tokens)
      const { config } = await api.get('/')
      await rejection(api({ ...config, baseURL: other.url }))
      expect(tokensOf(other)).toEqual([undefined])
      expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
    })

    test('may have other data after it was repeated', async () => {
      const server = await guardedServer(new Set(['test-token-1']))
      const api = create(server)
      attach(api, fakeTokens())
      const { config } = await api.post('/', { a: 1 })
      expect((await api({ ...config, data: { b: 2 } })).data).toEqual({ b: 2 })
    })

    test('has its transform after it was repeated', async () => {
      const server = await guardedServer(new Set(['test-token-1']))
      const api = create(server)
      attach(api, fakeTokens())
      const { config } = await api.post('/', 'a', { transformRequest: (text) => `${text}!` })
      await api({ ...config, data: 'b' })
      expect(server.requests.map(({ body }) => body.toString())).toEqual(['a!', 'a!', 'b!'])
    })

    test('may get an Authorization of its own', async () => {
      const server = await resourceServer()
      const api = create(server)
      attach(api, fakeTokens())
      const { config } = await api.get('/')
      await api({ ...config, headers: { ...config.headers, Authorization: 'Basic mine' } })
      expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
        'Bearer test-token-1',
        'Basic mine',
      ])
    })

    test('may be sent again while it is under way: each has a token and redirects of its own', async () => {
      const held = []
      const server = await resourceServer(async ({ path, token, headers }) => {
        if (path === '/far') return { status: 302, headers: { Location: `http://sub.${headers.host}/there` } }
        if (path === '/there' || token !== 'test-token-1') return {}
        await new Promise((resolve) => held.push(resolve))
        return { status: 401 }
      })
      const api = create(server, below(server))
      const tokens = fakeTokens()
      let sent
      // It runs after that of attach.
      api.interceptors.request.use((config) => {
        sent ??= config
        return config
      })
      attach(api, tokens)
      const late = api.get('/late')
      while (held.length === 0) await new Promise(setImmediate)
      tokens.invalidate('test-token-1')
      await api({ ...sent, url: '/far' })
      held[0]()
      expect((await late).status).toBe(200)
      expect(server.requests.map(({ path, token }) => [path, token])).toEqual([
        ['/late', 'test-token-1'],
        ['/far', 'test-token-2'],
        ['/there', undefined],
        ['/late', 'test-token-2'],
      ])
    })

    test('has no token after detach(), nor with another instance', async () => {
      const server = await resourceServer()
      const api = create(server)
      const detach = attach(api, fakeTokens())
      const { config } = await api.get('/')
      await axios.create({ proxy: false })(config)
      detach()
      await api(config)
      expect(tokensOf(server)).toEqual(['test-token-1', undefined, undefined])
    })
  })

  test('a request that is under way is not repeated after detach()', async () => {
    const server = await resourceServer(() => {
      detach()
      return { status: 401 }
    })
    const api = create(server)
    const detach = attach(api, fakeTokens())
    expect(await rejection(api.get('/'))).toMatchObject({ response: { status: 401 } })
    expect(server.requests).toHaveLength(1)
  })

  test('a POST that was answered with a redirect is not repeated, and its token is dropped', async () => {
    const server = await resourceServer(({ path, token }) => {
      if (path === '/post') return { status: 303, headers: { Location: '/result' } }
      return { status: token === 'test-token-1' ? 401 : 200 }
    })
    const api = create(server)
    const tokens = fakeTokens()
    attach(api, tokens)
    expect(await rejection(api.post('/post', { a: 1 }))).toMatchObject({ response: { status: 401 } })
    expect(server.requests.map(({ path }) => path)).toEqual(['/post', '/result'])
    expect(tokens.history.at(-1)).toMatchObject({ method: 'invalidate', dropped: true })
    expect((await api.get('/result')).status).toBe(200)
  })

  test('a request is repeated as it was sent: what an interceptor took away does not come back', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const api = create(server, {
      headers: { 'x-default': 'y' },
      params: { a: 1 },
      transformRequest: [(text) => `${text}!`],
    })
    attach(api, fakeTokens())
    api.interceptors.request.use((config) => {
      delete config.headers['x-default']
      delete config.params
      return config
    })
    await api.post('/x', 'text')
    expect(
      server.requests.map(({ path, headers, body }) => [path, headers['x-default'], body.toString()]),
    ).toEqual([
      ['/x', undefined, 'text!'],
      ['/x', undefined, 'text!'],
    ])
  })

  test.each([
    ['a user in its URL', (url) => ({ url: url.replace('//', '//me:pass@') }), /^Basic /],
    [
      'an Authorization that a transform adds',
      (url) => ({
        url,
        method: 'post',
        transformRequest: [(data, headers) => ((headers.Authorization = 'of a transform'), data)],
      }),
      /^of a transform$/,
    ],
  ])('a request with %s keeps it, and its 401 drops nothing', async (_, config, expected) => {
    const server = await resourceServer(() => ({ status: 401 }))
    const api = create(server)
    const tokens = fakeTokens()
    attach(api, tokens)
    await rejection(api.request(config(server.url)))
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      expect.stringMatching(expected),
    ])
    expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'text'],
    ['an error', new Error('of an adapter')],
  ])('what another interceptor or the adapter rejects with is handed on: %s', async (_, reason) => {
    const api = axios.create({ baseURL: 'https://api.example.com' })
    const outcomeOf = (sending) =>
      sending.then(
        () => 'resolved',
        (error) => ({ error }),
      )
    const refusal = (config) => ({ config, status: 401, headers: {} })
    const adapters = [
      () => Promise.reject(reason),
      (config) => Promise.reject({ config, response: refusal(config) }),
      () => Promise.reject(reason),
    ]
    const tokens = fakeTokens()
    attach(api, tokens)
    const adapter = (config) => adapters.shift()(config)
    expect(await outcomeOf(api.get('/', { adapter }))).toEqual({ error: reason })
    expect(await outcomeOf(api.get('/', { adapter }))).toEqual({ error: reason })
    expect(adapters).toEqual([])
    expect(tokens.history.filter(({ method }) => method === 'invalidate')).toHaveLength(1)

    const early = axios.create({ adapter: async (config) => ({ ...refusal(config), status: 200 }) })
    early.interceptors.response.use(() => Promise.reject(reason))
    attach(early, tokens, { origins: ['https://api.example.com'] })
    expect(await outcomeOf(early.get('https://api.example.com/'))).toEqual({ error: reason })
  })

  test('a redirect to plain http on the same host takes the token off', async () => {
    const api = axios.create({ baseURL: 'https://api.example.com' })
    attach(api, fakeTokens())
    const followed = []
    const adapter = async (config) => {
      for (const href of ['https://api.example.com/near', 'http://api.example.com/far']) {
        const headers = { authorization: config.headers.Authorization }
        config.beforeRedirect({ href, headers }, {})
        followed.push(headers)
      }
      return { config, status: 200, headers: {} }
    }
    await api.get('/', { adapter })
    expect(followed).toEqual([{ authorization: 'Bearer test-token-1' }, {}])
  })

  test('an answer that is a stream does not show the token', async () => {
    const server = await resourceServer()
    const api = create(server, { responseType: 'stream' })
    attach(api, fakeTokens())
    const { data } = await api.get('/')
    expect(inspect(data, { depth: 8, showHidden: true })).not.toMatch(/test-token/)
    data.resume()
  })

  test('a refusal that is not handed on leaves its connection to others', async () => {
    const { Agent } = require('node:http')
    const { Readable } = require('node:stream')
    const server = await guardedServer(new Set(['test-token-1', 'test-token-3']), {
      body: 'x'.repeat(30_000),
    })
    const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 })
    const api = create(server, { httpAgent, responseType: 'stream' })
    const tokens = fakeTokens()
    attach(api, tokens)
    const { data } = await api.get('/')
    for await (const chunk of data) void chunk
    tokens.invalidate('test-token-2')
    expect(await rejection(api.post('/', Readable.from(['a'])))).toMatchObject({ code: 'ERR_BODY_CONSUMED' })
    expect((await api.get('/')).status).toBe(200)
    expect(server.connections()).toBe(1)
    httpAgent.destroy()
  })

  test.each([
    ['upper case', (server, other) => ({ baseURL: server.url, url: other.url.replace('http', 'HTTP') })],
    ['no scheme', (server, other) => ({ baseURL: server.url, url: other.url.replace('http:', '') })],
    [
      'absolute URLs that are not allowed',
      (server, other) => ({ baseURL: other.url, url: server.url, allowAbsoluteUrls: false }),
    ],
  ])('no token goes elsewhere with %s', async (_, config) => {
    const [server, other] = [await resourceServer(), await resourceServer()]
    const api = axios.create({ proxy: false })
    attach(api, fakeTokens(), { origins: [server.url] })
    await api.request(config(server, other)).catch(() => {})
    expect(tokensOf(other)).toEqual(Array(other.requests.length).fill(undefined))
  })
})
