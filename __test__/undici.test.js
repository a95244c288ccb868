'use strict'

const { EventEmitter } = require('node:events')
const { text } = require('node:stream/consumers')
const { fakeTokens } = require('../lib/testing')
const { createInterceptor } = require('../lib/integrations/undici')
const { UNDICI } = require('./support/http-clients')
const { endless, guardedServer, resourceServer } = require('./support/resource-server')
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
    ['an object with an authorization of undefined', { 'x-mine': 'kept', authorization: undefined }],
    ['a list', ['x-mine', 'kept']],
    ['a Map', new Map([['x-mine', 'kept']])],
    ['Headers', new globalThis.Headers({ 'x-mine': 'kept' })],
    ['an iterator', [['x-mine', 'kept']].values()],
    ['a list with a value that looks like a name', ['x-value', 'authorization', 'x-mine', 'kept']],
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

  test('a 401 of the first origin after a redirect through another is left alone', async () => {
    const elsewhere = await resourceServer(() => ({
      status: 302,
      headers: { Location: `${server.url}/back` },
    }))
    const server = await resourceServer(({ path }) =>
      path === '/back' ? { status: 401 } : { status: 302, headers: { Location: elsewhere.url } },
    )
    const tokens = fakeTokens()
    const redirect = undici.interceptors.redirect({ maxRedirections: 2 })
    const send = await sending(server, { tokens, before: [redirect] })
    expect((await send('/away')).statusCode).toBe(401)
    expect(server.requests.map(({ path, token }) => [path, token])).toEqual([
      ['/away', 'test-token-1'],
      ['/back', undefined],
    ])
    expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
  })

  test('composed after redirect, a POST that is not redirected is repeated, and its context is handed on', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const redirect = undici.interceptors.redirect({ maxRedirections: 2 })
    const dispatcher = agent().compose(redirect, createInterceptor(fakeTokens(), { origins: [server.url] }))
    const origin = new URL(server.url)
    const { statusCode, context } = await dispatcher.request({
      origin,
      path: '/x',
      method: 'POST',
      body: 'a',
    })
    expect(statusCode).toBe(200)
    expect(context.history.map(String)).toEqual([`${server.url}/x`])
    const { context: ofSecond } = await dispatcher.request({ origin, path: '/y', method: 'GET' })
    expect(ofSecond.history.map(String)).toEqual([`${server.url}/y`])
    expect(server.requests.map(({ token }) => token)).toEqual([
      'test-token-1',
      'test-token-2',
      'test-token-2',
    ])
  })

  test('what undici refuses is refused by it', async () => {
    const server = await resourceServer()
    const refusal = (dispatcher, request) =>
      new Promise((resolve) => {
        const tell = (error) => resolve(error.message)
        const none = () => true
        const handler = isOld
          ? { onConnect: none, onHeaders: none, onData: none, onComplete: none, onError: tell }
          : { onRequestStart: none, onResponseError: (_, error) => tell(error) }
        if (!isOld) for (const name of [head, data, end]) handler[name] = none
        try {
          dispatcher.dispatch(request, handler)
        } catch (error) {
          resolve(`thrown: ${error.message}`)
        }
      })
    const plain = agent()
    const composed = plain.compose(createInterceptor(fakeTokens(), { origins: [server.url] }))
    for (const request of [undefined, {}, { origin: server.url, path: '/', method: 'no method' }]) {
      expect(await refusal(composed, request)).toBe(await refusal(plain, request))
    }
    const odd = { origin: server.url, path: '/', method: 'GET', headers: ['x', 'y', 1, 'z'] }
    expect(await refusal(composed, odd)).not.toMatch(/thrown/)
    expect(server.requests).toEqual([])
  })

  test('the text of a status is handed on', async () => {
    const server = await resourceServer(() => ({ status: 202 }))
    const dispatcher = agent().compose(createInterceptor(fakeTokens(), { origins: [server.url] }))
    expect((await undici.fetch(server.url, { dispatcher })).statusText).toBe('Accepted')
  })

  test('a handler is told how a request is sent, as without the interceptor', async () => {
    const server = await resourceServer()
    const heard = async (dispatcher) => {
      const names = []
      await new Promise((resolve, reject) => {
        const note = (name) => () => (names.push(name), true)
        const steps = [start, 'onBodySent', 'onRequestSent', 'onResponseStarted', head, data]
        const handler = Object.fromEntries(steps.map((name) => [name, note(name)]))
        handler[end] = resolve
        handler[failed] = (...args) => reject(args.at(-1))
        dispatcher.dispatch({ origin: server.url, path: '/', method: 'POST', body: 'text' }, handler)
      })
      return names
    }
    const plain = agent()
    const names = await heard(plain)
    expect(names).toContain('onResponseStarted')
    expect(await heard(plain.compose(createInterceptor(fakeTokens(), { origins: [server.url] })))).toEqual(
      names,
    )
  })

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

  test('a name that comes twice in an iterable is sent twice', async () => {
    const server = await resourceServer()
    const headers = new Map([['x-other', 'a']])
    headers[Symbol.iterator] = () =>
      [
        ['x-mine', 'a'],
        ['x-mine', 'b'],
        ['x-mine', 'c'],
        ['constructor', 'of mine'],
      ].values()
    await (
      await sending(server)
    )('/', { headers })
    expect(server.requests[0].headers).toMatchObject({ 'x-mine': 'a, b, c', constructor: 'of mine' })
  })

  test('an origin that is changed while the request waits for a token changes nothing', async () => {
    const [server, other] = [await resourceServer(), await resourceServer()]
    const origin = new URL(server.url)
    const tokens = {
      invalidate: () => true,
      getToken: async () => {
        origin.href = other.url
        return 'only'
      },
    }
    const dispatcher = agent().compose(createInterceptor(tokens, { origins: [server.url] }))
    await dispatcher.request({ origin, path: '/', method: 'GET' })
    expect(server.requests.map(({ token }) => token)).toEqual(['only'])
    expect(other.requests).toEqual([])
  })

  test('an endless refusal is cut off, and the request is repeated, also over one connection', async () => {
    let isClosed
    const closed = new Promise((resolve) => (isClosed = resolve))
    const server = await resourceServer(({ token }) =>
      token === 'test-token-1' ? { status: 401, body: endless(isClosed) } : {},
    )
    const dispatcher = agent({ connections: 1 }).compose(
      createInterceptor(fakeTokens(), { origins: [server.url] }),
    )
    expect((await undici.request(server.url, { dispatcher })).statusCode).toBe(200)
    expect(await closed).toBe('closed')
  })

  test('a POST that was answered with a redirect is not repeated, and its token is dropped', async () => {
    const server = await resourceServer(({ path }) =>
      path === '/post' ? { status: 303, headers: { Location: '/result' } } : { status: 401 },
    )
    const tokens = fakeTokens()
    const redirect = undici.interceptors.redirect({ maxRedirections: 2 })
    const send = await sending(server, { tokens, before: [redirect] })
    expect((await send('/post', { method: 'POST', body: 'text' })).statusCode).toBe(401)
    expect(server.requests.map(({ path }) => path)).toEqual(['/post', '/result'])
    expect(tokens.history.at(-1)).toMatchObject({ method: 'invalidate', dropped: true })
  })

  test('composed after dns, it sees the name of the host', async () => {
    const server = await resourceServer()
    const origin = `http://localhost:${new URL(server.url).port}`
    const dispatcher = agent().compose(
      undici.interceptors.dns({ affinity: 4 }),
      createInterceptor(fakeTokens(), { origins: [origin] }),
    )
    await undici.request(origin, { dispatcher })
    expect(server.requests.map(({ token }) => token)).toEqual(['test-token-1'])
  })

  test('an upgrade carries the token', async () => {
    const { createServer } = require('node:http')
    const upgraded = createServer()
    let seen
    upgraded.on('upgrade', (request, socket) => {
      seen = request.headers.authorization
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n')
    })
    await new Promise((resolve) => upgraded.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${upgraded.address().port}`
    const dispatcher = agent().compose(createInterceptor(fakeTokens(), { origins: [origin] }))
    const { socket } = await undici.upgrade(origin, { dispatcher, protocol: 'echo' })
    socket.destroy()
    upgraded.close()
    expect(seen).toBe('Bearer test-token-1')
  })

  /**
   * A dispatcher in memory, whose answers are told as each version of undici tells them, and a
   * handler that notes all.
   */
  const isOld = library === 'undici-6'
  const [start, head, data, end, failed] = isOld
    ? ['onConnect', 'onHeaders', 'onData', 'onComplete', 'onError']
    : ['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd', 'onResponseError']

  function recorder() {
    const [calls, controllers] = [[], []]
    const handler = Object.fromEntries(
      [start, head, data, end, failed].map((name) => [
        name,
        (...args) => {
          calls.push(name === failed ? [name, args.at(-1).code ?? args.at(-1).message] : name)
          if (name === failed && !isOld) controllers.push(args[0])
          return true
        },
      ]),
    )
    return { calls, controllers, handler }
  }

  function answer(handler, status, headers = {}, { body = 'x', abort = () => {} } = {}) {
    const controller = { abort, pause() {}, resume() {} }
    handler[start](...(isOld ? [abort, {}] : [controller, {}]))
    const raw = Object.entries(headers)
      .flat()
      .map((text) => Buffer.from(text))
    handler[head](...(isOld ? [status, raw, () => {}, ''] : [controller, status, headers, '']))
    handler[data](...(isOld ? [Buffer.from(body)] : [controller, Buffer.from(body)]))
    handler[end](...(isOld ? [[]] : [controller, {}]))
    return controller
  }

  const opts = { origin: 'https://api.example.com', path: '/', method: 'GET' }
  const over = (dispatch, tokens = fakeTokens()) =>
    createInterceptor(tokens, { origins: [opts.origin] })(dispatch)

  test('a handler sees a refused request begin, and then one answer', async () => {
    const { calls, handler } = recorder()
    const statuses = [401, 200]
    const dispatch = over((_, each) => {
      answer(each, statuses.shift())
      return false
    })
    expect(dispatch(opts, handler)).toBe(true)
    while (!calls.includes(end)) await new Promise(setImmediate)
    expect(calls).toEqual([start, start, head, data, end])
  })

  test('a handler sees one error of a request that cannot be repeated, and nothing after it', async () => {
    const { calls, controllers, handler } = recorder()
    async function* body() {
      yield 'x'
    }
    let controller
    over((_, each) => void (controller = answer(each, 401)))(
      { ...opts, method: 'POST', body: body() },
      handler,
    )
    while (calls.length < 2) await new Promise(setImmediate)
    await new Promise(setImmediate)
    expect(calls).toEqual([start, [failed, 'ERR_BODY_CONSUMED']])
    if (!isOld) expect(controllers).toEqual([controller])
  })

  test('what the pool throws after the wait for a token is told to the handler', async () => {
    const { calls, handler } = recorder()
    const dispatch = over(() => {
      throw new Error('the pool is closed')
    })
    dispatch(opts, handler)
    while (calls.length === 0) await new Promise(setImmediate)
    expect(calls).toEqual([[failed, 'the pool is closed']])
  })

  test('what the pool throws as a request is repeated is told to the handler', async () => {
    const { calls, handler } = recorder()
    let isFirst = true
    const dispatch = over((_, each) => {
      if (!isFirst) throw new Error('the pool is closed')
      isFirst = false
      answer(each, 401)
    })
    dispatch(opts, handler)
    while (calls.length < 2) await new Promise(setImmediate)
    expect(calls).toEqual([start, [failed, 'the pool is closed']])
  })

  test.each([
    [65_536, 0],
    [65_537, 1],
  ])('a refusal of %s bytes is cut off %s times', async (length, times) => {
    const { calls, handler } = recorder()
    const abort = jest.fn()
    const statuses = [401, 200]
    over((_, each) => void answer(each, statuses.shift(), {}, { body: 'x'.repeat(length), abort }))(
      opts,
      handler,
    )
    while (!calls.includes(end)) await new Promise(setImmediate)
    expect(abort).toHaveBeenCalledTimes(times)
  })

  // Only this version leaves it to a handler what it wants to hear of.
  if (library === 'undici-7') {
    test('a handler may hear of the start only', async () => {
      const server = await resourceServer(() => ({ body: 'text' }))
      const dispatcher = agent({ connections: 1 }).compose(
        createInterceptor(fakeTokens(), { origins: [server.url] }),
      )
      const request = { origin: server.url, path: '/', method: 'GET' }
      const errors = []
      const onResponseError = (_, error) => errors.push(error)
      await new Promise((onRequestStart) => {
        dispatcher.dispatch(request, { onRequestStart, onResponseError })
      })
      // It waits for the connection until the other one has ended.
      await (await dispatcher.request(request)).body.text()
      expect(errors).toEqual([])
      expect(server.requests).toHaveLength(2)
    })
  }

  test('a held token is sent at once, and what the pool says of its load is handed on', () => {
    const { handler } = recorder()
    const tokens = { peek: () => 'held', getToken: async () => 'held', invalidate: () => true }
    const sent = []
    const dispatch = over(({ headers }) => {
      sent.push(headers)
      return false
    }, tokens)
    expect(dispatch(opts, handler)).toBe(false)
    expect(sent).toEqual([{ authorization: 'Bearer held' }])
  })

  test.each([
    [
      'another name',
      { 'x-first': 'Bearer error="invalid_token"', 'x-name': 'www-authenticate' },
      [start, head, data, end],
    ],
    [
      'its name after a value like it',
      { 'x-name': 'www-authenticate', 'www-authenticate': 'Bearer error="invalid_token"' },
      [start, start, head, data, end],
    ],
  ])('the headers of a 403 are told apart by their names: %s', async (_, headers, expected) => {
    const { calls, handler } = recorder()
    const statuses = [403, 200]
    over((__, each) => void answer(each, statuses.shift(), headers))(opts, handler)
    while (!calls.includes(end)) await new Promise(setImmediate)
    expect(calls).toEqual(expected)
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
