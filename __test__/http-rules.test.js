'use strict'

const { createFetch } = require('../lib/integrations/fetch')
const { fakeTokens } = require('../lib/testing')
const { CLIENTS } = require('./support/http-clients')
const { guardedServer, resourceServer } = require('./support/resource-server')
const { closeAll, closing, rejection } = require('./support/world')

afterEach(closeAll)

const get = { path: '/api/v2/users/me' }

describe.each(CLIENTS)('$name', ({ open, isSdk, name }) => {
  const opened = (server, tokens = fakeTokens(), options) =>
    closing(open({ url: server.url, tokens, options }))
  const tokensOf = ({ requests }) => requests.map(({ token }) => token)

  test('a request carries the token of the moment', async () => {
    const server = await resourceServer()
    const tokens = fakeTokens()
    const client = opened(server, tokens)
    expect(await client.send(get)).toMatchObject({ status: 200 })
    tokens.invalidate('test-token-1')
    await client.send(get)
    expect(tokensOf(server)).toEqual(['test-token-1', 'test-token-2'])
  })

  test('a 401 drops that token, and the request is made once more with another', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const tokens = fakeTokens()
    const request = { path: '/api/v2/x', method: 'POST', body: 'text', headers: { 'if-none-match': 'kept' } }
    expect(await opened(server, tokens).send(request)).toMatchObject({ status: 200 })
    expect(tokensOf(server)).toEqual(['test-token-1', 'test-token-2'])
    for (const { headers, body } of server.requests) {
      // As long as an Authorization.
      expect(headers['if-none-match']).toBe('kept')
      // The SDK makes JSON of it.
      expect(body.toString()).toBe(isSdk ? '"text"' : 'text')
    }
    const dropped = tokens.history.filter(({ method }) => method === 'invalidate')
    expect(dropped).toMatchObject([{ token: 'test-token-1', dropped: true }])
  })

  test('a second 401 is what the caller gets', async () => {
    const server = await guardedServer(new Set(['test-token-1', 'test-token-2']))
    expect(await opened(server).send(get)).toMatchObject({ status: 401, body: '{"status":401}' })
    expect(tokensOf(server)).toEqual(['test-token-1', 'test-token-2'])
  })

  test('a token that the manager stands by is not sent again', async () => {
    const server = await guardedServer(new Set(['only']))
    const tokens = { getToken: async () => 'only', invalidate: () => false, peek: () => 'only' }
    expect(await opened(server, tokens).send(get)).toMatchObject({ status: 401, body: '{"status":401}' })
    expect(tokensOf(server)).toEqual(['only'])
  })

  test('a 403 is about the token only where it says invalid_token', async () => {
    const challenges = ['Bearer error="insufficient_scope"', 'Bearer realm="x", error="invalid_token"']
    const server = await resourceServer(({ token }) =>
      token === 'test-token-2'
        ? {}
        : { status: 403, headers: { 'WWW-Authenticate': challenges.shift() }, body: '{"status":403}' },
    )
    const client = opened(server)
    expect(await client.send(get)).toMatchObject({ status: 403 })
    expect(await client.send(get)).toMatchObject({ status: 200 })
    expect(tokensOf(server)).toEqual(['test-token-1', 'test-token-1', 'test-token-2'])
  })

  test('the token that is sent is the one of the moment in which another one came', async () => {
    const server = await resourceServer()
    let held
    const tokens = {
      peek: () => held,
      invalidate: () => true,
      getToken: async () => {
        await null
        held = 'second'
        return 'first'
      },
    }
    await opened(server, tokens).send(get)
    expect(tokensOf(server)).toEqual(['second'])
  })

  test.each([undefined, null])('a source that peeks at %s is asked for its token', async (nothing) => {
    const server = await resourceServer()
    const tokens = { peek: () => nothing, invalidate: () => true, getToken: async () => 'only' }
    await opened(server, tokens).send(get)
    expect(tokensOf(server)).toEqual(['only'])
  })

  test('another status is handed on, and costs no token', async () => {
    const headers = { 'WWW-Authenticate': 'Bearer error="invalid_token"' }
    const server = await resourceServer(() => ({ status: 500, headers, body: '{"status":500}' }))
    const tokens = fakeTokens()
    expect(await opened(server, tokens).send(get)).toMatchObject({ status: 500, body: '{"status":500}' })
    expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
  })

  test('a request with an Authorization of its own keeps it, and its 401 is left alone', async () => {
    const server = await resourceServer(() => ({ status: 401, body: '{"status":401}' }))
    const tokens = fakeTokens()
    const own = { ...get, headers: { authorization: 'Basic abc' } }
    expect(await opened(server, tokens).send(own)).toMatchObject({ status: 401 })
    expect(server.requests).toMatchObject([{ headers: { authorization: 'Basic abc' } }])
    expect(tokens.history).toEqual([])
  })

  test('another origin gets no token, and its 401 is left alone', async () => {
    const server = await resourceServer(() => ({ status: 401, body: '{"status":401}' }))
    const tokens = fakeTokens()
    const client = opened(server, tokens, { origins: ['https://api.example.com'] })
    expect(await client.send(get)).toMatchObject({ status: 401 })
    expect(server.requests).toMatchObject([{ token: undefined }])
    expect(tokens.history).toEqual([])
  })

  test('no token is told as the source tells it, and nothing is sent', async () => {
    const server = await resourceServer()
    const tokens = fakeTokens()
    tokens.failNext()
    const error = await rejection(opened(server, tokens).send(get))
    expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' })
    expect(server.requests).toEqual([])
  })

  test('no other token after a 401 is told the same way', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const tokens = fakeTokens()
    const { invalidate } = tokens
    tokens.invalidate = (token) => {
      tokens.failNext()
      return invalidate.call(tokens, token)
    }
    expect(await rejection(opened(server, tokens).send(get))).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' })
    expect(server.requests).toHaveLength(1)
  })

  if (isSdk) return

  /** As a manager waits: until the signal is aborted. */
  const untilAborted = (signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason))
    })

  const abortsOf = (controller) =>
    expect.objectContaining(
      name.startsWith('axios') ? { code: 'ERR_CANCELED' } : { message: controller.signal.reason.message },
    )

  test('an abort ends the wait for a token, and nothing is sent', async () => {
    const server = await resourceServer()
    const tokens = { invalidate: () => true, getToken: ({ signal }) => untilAborted(signal) }
    const controller = new AbortController()
    const error = rejection(opened(server, tokens).send({ ...get, signal: controller.signal }))
    controller.abort(new Error('enough'))
    expect(await error).toEqual(abortsOf(controller))
    expect(server.requests).toEqual([])
  })

  test('an abort ends the wait for another token after a 401', async () => {
    const server = await guardedServer(new Set(['first']))
    const controller = new AbortController()
    let current = 'first'
    const tokens = {
      invalidate: () => {
        current = undefined
        // Once the request waits for it.
        setImmediate(() => controller.abort(new Error('enough')))
        return true
      },
      getToken: ({ signal } = {}) =>
        current === undefined ? untilAborted(signal) : Promise.resolve(current),
    }
    const sending = opened(server, tokens).send({ ...get, signal: controller.signal })
    expect(await rejection(sending)).toEqual(abortsOf(controller))
    expect(server.requests).toHaveLength(1)
  })

  test('an abort ends a request that is under way', async () => {
    const controller = new AbortController()
    const server = await resourceServer(() => {
      controller.abort(new Error('enough'))
      return new Promise(() => {})
    })
    const sending = opened(server).send({ ...get, signal: controller.signal })
    expect(await rejection(sending)).toEqual(abortsOf(controller))
  })
})

describe('the challenge of a 403', () => {
  const fetching = CLIENTS.find(({ name }) => name === 'fetch')

  test.each([
    ['Bearer error="invalid_token"', true],
    ['Bearer error=invalid_token', true],
    ['Bearer realm="x", error = "invalid_token", error_description="gone"', true],
    ['Basic realm="x", Bearer error="invalid_token"', true],
    ['Bearer realm="x",error="invalid_token" , scope="x"', true],
    ['Bearer Error="invalid_token"', true],
    ['error="invalid_token"', true],
    ['Bearer error="insufficient_scope", error_description="no error=invalid_token here"', false],
    ['Bearer error="insufficient_scope", error_description="a \\" error=\\"invalid_token\\""', false],
    ['Bearer error_description="a, error=invalid_token, b"', false],
    ['Bearer error_description = "a, error=invalid_token, b"', false],
    ['Bearer error_description="a \\", error=invalid_token, b"', false],
    ['Bearer realm="x", error_description="a, error=invalid_token, b"', false],
    ['Bearer x-error="a, error=invalid_token, b"', false],
    ['Bearer x-error="invalid_token"', false],
    ['Bearer x-error=invalid_token', false],
    ['Bearer error="invalid_tokens"', false],
    ['invalid_token', false],
    [undefined, false],
  ])('%s: refused %s', async (challenge, isRefused) => {
    const server = await resourceServer(() => ({
      status: 403,
      headers: challenge && { 'WWW-Authenticate': challenge },
    }))
    await fetching.open({ url: server.url, tokens: fakeTokens() }).send(get)
    expect(server.requests).toHaveLength(isRefused ? 2 : 1)
  })

  test('of hyphens alone, however long, takes no longer than one of letters', async () => {
    const cpuOf = async (challenge) => {
      const fetch = async () => ({ status: 403, headers: new Map([['www-authenticate', challenge]]) })
      const send = createFetch(fakeTokens(), { origins: ['https://api.example.com'], fetch })
      const before = process.cpuUsage()
      await send('https://api.example.com/')
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    const letters = await cpuOf('a'.repeat(100_000))
    // Read again from each character it would be some thousand times as much.
    expect(await cpuOf('-'.repeat(100_000))).toBeLessThan(10 * letters + 100_000)
  })
})
