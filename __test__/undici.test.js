'use strict'

const { EventEmitter } = require('node:events')
const { text } = require('node:stream/consumers')
const { fakeTokens } = require('../testing')
const { createInterceptor } = require('../undici')
const { UNDICI } = require('./support/http-clients')
const { guardedServer, resourceServer } = require('./support/resource-server')
const { closeAll, closing, rejection } = require('./support/world')

afterEach(closeAll)

describe.each(UNDICI)('%s', (library) => {
  const undici = require(library)
  const agent = (options) => closing(new undici.Agent(options))

  /** Requests to a server through an interceptor, with the tokens that it gives. */
  async function sending(server, { tokens = fakeTokens(), options, before = [], after = [] } = {}) {
    const interceptor = createInterceptor(tokens, { origins: [server.url], ...options })
    const dispatcher = agent().compose(...before, interceptor, ...after)
    return (path, request) => undici.request(server.url + path, { dispatcher, ...request })
  }

  test.each([
    ['an object', { 'x-mine': 'kept' }],
    ['a list', ['x-mine', 'kept']],
    ['a Map', new Map([['x-mine', 'kept']])],
    ['Headers', new globalThis.Headers({ 'x-mine': 'kept' })],
    ['an iterator', [['x-mine', 'kept']].values()],
  ])('headers as %s are kept, and sent again', async (_, headers) => {
    const server = await guardedServer(new Set(['test-token-1']))
    const send = await sending(server)
    const response = await send('/', { headers })
    expect(response.statusCode).toBe(200)
    expect(server.requests.map(({ token, headers: sent }) => [token, sent['x-mine']])).toEqual([
      ['test-token-1', 'kept'],
      ['test-token-2', 'kept'],
    ])
  })

  test.each([
    ['an object', { Authorization: 'mine' }],
    ['a list', ['x', 'y', 'AUTHORIZATION', 'mine']],
    ['a Map', new Map([['authorization', 'mine']])],
  ])('an Authorization of its own in %s is kept', async (_, headers) => {
    const server = await resourceServer(() => ({ status: 401 }))
    const send = await sending(server)
    expect((await send('/', { headers })).statusCode).toBe(401)
    expect(server.requests.map(({ headers: sent }) => sent.authorization)).toEqual(['mine'])
  })

  test('a stream() and a pipeline() are repeated, too', async () => {
    const server = await guardedServer(new Set(['test-token-1', 'test-token-3']))
    const tokens = fakeTokens()
    const dispatcher = agent().compose(createInterceptor(tokens, { origins: [server.url] }))
    const { Writable, PassThrough } = require('node:stream')
    let received = ''
    const sink = () =>
      new Writable({
        write(chunk, _, done) {
          received += chunk
          done()
        },
      })
    await undici.stream(server.url, { dispatcher, method: 'POST', body: 'streamed' }, sink)
    expect(received).toBe('streamed')
    tokens.invalidate('test-token-2')
    const piped = undici.pipeline(server.url, { dispatcher, method: 'GET' }, ({ statusCode, body }) => {
      received = statusCode
      return body.pipe(new PassThrough())
    })
    // Its body is a stream.
    const error = rejection(text(piped.end()))
    expect(await error).toMatchObject({ code: 'ERR_BODY_CONSUMED' })
  })

  test('a Pool does not tell its origin: that is an error, and naming it with the request helps', async () => {
    const server = await resourceServer()
    const pool = closing(new undici.Pool(server.url))
    const dispatcher = pool.compose(createInterceptor(fakeTokens(), { origins: [server.url] }))
    if (library === 'undici-6' || library === 'undici-7') {
      const error = await rejection(dispatcher.request({ path: '/', method: 'GET' }))
      expect(error).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        message: expect.stringMatching(/give the origin/),
      })
    }
    await dispatcher.request({ origin: server.url, path: '/', method: 'GET' })
    expect(server.requests.map(({ token }) => token)).toEqual(['test-token-1'])
  })

  test.each(['before', 'after'])(
    'composed %s redirect, no other origin gets the token, and its 401 is left alone',
    async (place) => {
      const elsewhere = await resourceServer(() => ({ status: 401 }))
      const server = await resourceServer(() => ({
        status: 302,
        headers: { Location: `${elsewhere.url}/there` },
      }))
      const redirect = undici.interceptors.redirect({ maxRedirections: 2 })
      const tokens = fakeTokens()
      const send = await sending(server, { tokens, [place === 'before' ? 'after' : 'before']: [redirect] })
      expect((await send('/')).statusCode).toBe(401)
      expect(server.requests.map(({ token }) => token)).toEqual(['test-token-1'])
      expect(elsewhere.requests.map(({ token }) => token)).toEqual([undefined])
      expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
    },
  )

  test('composed before retry, each retry carries the token of its moment', async () => {
    const tokens = fakeTokens()
    const server = await resourceServer(({ token }) => {
      if (token !== 'test-token-1') return {}
      tokens.invalidate(token)
      return { status: 503 }
    })
    const retry = undici.interceptors.retry({ minTimeout: 1, maxRetries: 2 })
    const send = await sending(server, { tokens, after: [retry] })
    expect((await send('/')).statusCode).toBe(200)
    expect(server.requests.map(({ token }) => token)).toEqual(['test-token-1', 'test-token-2'])
  })

  test('an emitter as a signal aborts a request', async () => {
    const signal = new EventEmitter()
    const server = await resourceServer(() => {
      signal.emit('abort')
      return new Promise(() => {})
    })
    const send = await sending(server)
    expect(await rejection(send('/', { signal }))).toMatchObject({ code: 'UND_ERR_ABORTED' })
  })

  test('a body that cannot be repeated does not cut the connection that other requests share', async () => {
    const refused = new Set(['test-token-1'])
    const server = await guardedServer(refused)
    const tokens = fakeTokens()
    const interceptor = createInterceptor(tokens, { origins: [server.url] })
    const dispatcher = agent({ connections: 1, pipelining: 4 }).compose(interceptor)
    async function* body() {
      yield 'chunk'
    }
    const requests = [
      rejection(undici.request(server.url, { dispatcher, method: 'POST', body: body() })),
      ...[1, 2, 3].map(() => undici.request(server.url, { dispatcher })),
    ]
    const [error, ...answers] = await Promise.all(requests)
    expect(error).toMatchObject({ code: 'ERR_BODY_CONSUMED' })
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200])
    expect(server.connections()).toBe(1)
  })
})

test('the global fetch sends through a dispatcher with the interceptor', async () => {
  // The version that is built in: others may not understand its fetch.
  const builtIn = Number(/^\d+/.exec(process.versions.undici))
  const { Agent } = require(`undici-${Math.max(6, builtIn)}`)
  const server = await guardedServer(new Set(['test-token-1']))
  const dispatcher = closing(new Agent()).compose(createInterceptor(fakeTokens(), { origins: [server.url] }))
  expect((await fetch(server.url, { dispatcher })).status).toBe(200)
  expect(server.requests.map(({ token }) => token)).toEqual(['test-token-1', 'test-token-2'])
})
