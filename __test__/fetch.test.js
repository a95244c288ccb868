'use strict'

const { createFetch } = require('../lib/integrations/fetch')
const { fakeTokens } = require('../lib/testing')
const { endless, guardedServer, resourceServer } = require('./support/resource-server')
const { closeAll, rejection } = require('./support/world')

afterEach(closeAll)

const tokensOf = ({ requests }) => requests.map(({ token }) => token)

test.each([
  ['a text', (url) => url],
  ['a URL', (url) => new URL(url)],
  ['a Request', (url) => new globalThis.Request(url)],
  ['an object with a text', (url) => ({ toString: () => url })],
  ['a text with another case', (url) => url.replace('http', 'HTTP')],
])('%s of a listed origin gets the token', async (_, input) => {
  const server = await resourceServer()
  const send = createFetch(fakeTokens(), { origins: [new URL(server.url)] })
  await send(input(`${server.url}/x?y#z`))
  expect(server.requests).toMatchObject([{ path: '/x?y', token: 'test-token-1' }])
})

test.each([
  ['another port', (url) => url],
  ['the listed origin as the user of another', (url, { host }) => url.replace('//', `//${host}@`)],
  ['the listed origin as the beginning of another', (url, { origin }) => `${origin}.invalid/`],
  ['the listed origin as the query of another', (url, { origin }) => `${url}?${origin}`],
])('%s gets none', async (_, urlOf) => {
  const [server, other] = [await resourceServer(), await resourceServer()]
  const seen = []
  const send = createFetch(fakeTokens(), {
    origins: [server.url],
    fetch: async (url, init) => seen.push(init),
  })
  const init = { headers: { 'x-mine': 'kept' } }
  await send(urlOf(`${other.url}/`, new URL(server.url)), init)
  expect(seen).toEqual([{ headers: { 'x-mine': 'kept' } }])
})

test.each([
  ['without its port', ({ protocol, hostname }) => `${protocol}//${hostname}`],
  ['with the beginning of its port', ({ origin }) => origin.slice(0, -1)],
])('an origin gets no token where it is listed %s', async (_, listed) => {
  const server = await resourceServer()
  const send = createFetch(fakeTokens(), { origins: [listed(new URL(server.url))] })
  await send(server.url)
  expect(tokensOf(server)).toEqual([undefined])
})

test('a redirect to another origin takes the token off, and its 401 is left alone', async () => {
  const elsewhere = await resourceServer(() => ({ status: 401 }))
  const server = await resourceServer(({ path }) => ({
    status: 302,
    headers: { Location: path === '/first' ? '/second' : elsewhere.url },
  }))
  const tokens = fakeTokens()
  const send = createFetch(tokens, { origins: [server.url, elsewhere.url] })
  expect((await send(`${server.url}/first`)).status).toBe(401)
  expect(tokensOf(server)).toEqual(['test-token-1', 'test-token-1'])
  expect(tokensOf(elsewhere)).toEqual([undefined])
  expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
})

test.each([undefined, 'GET', 'HEAD', 'OPTIONS', 'get'])(
  'a 401 after a redirect is about the token with the method %s',
  async (method) => {
    const server = await resourceServer(({ path, token }) => {
      if (path === '/first') return { status: 302, headers: { Location: '/second' } }
      return { status: token === 'test-token-1' ? 401 : 200 }
    })
    const send = createFetch(fakeTokens(), { origins: [server.url] })
    expect((await send(`${server.url}/first`, { method })).status).toBe(200)
  },
)

test('the answer that counts can be read, and the one that does not is not waited for', async () => {
  let endless
  const server = await resourceServer(({ token }) =>
    token === 'test-token-1' ? { status: 401, body: 'x'.repeat(1_000_000) } : { body: 'the answer' },
  )
  const send = createFetch(fakeTokens(), {
    origins: [server.url],
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      if (response.status === 401) endless = response
      return response
    },
  })
  expect(await (await send(server.url)).text()).toBe('the answer')
  expect(endless.bodyUsed).toBe(true)
})

test('a 401 that stands can be read', async () => {
  const server = await guardedServer(new Set(['only']))
  const tokens = { getToken: async () => 'only', invalidate: () => false, peek: () => 'only' }
  const response = await createFetch(tokens, { origins: [server.url] })(server.url)
  expect(await response.json()).toEqual({ status: 401 })
})

test('the global fetch of the moment is used: a test may replace it', async () => {
  const send = createFetch(fakeTokens(), { origins: ['https://api.example.com'] })
  const { fetch } = globalThis
  try {
    globalThis.fetch = jest.fn(async () => ({ status: 200, headers: new globalThis.Headers() }))
    await send('https://api.example.com/x', { method: 'POST', body: 'text' })
    const [[url, { method, body, headers }]] = globalThis.fetch.mock.calls
    expect({ url, method, body }).toEqual({ url: 'https://api.example.com/x', method: 'POST', body: 'text' })
    expect(headers.get('authorization')).toBe('Bearer test-token-1')
  } finally {
    globalThis.fetch = fetch
  }
})

test('what fetch refuses is refused by it', async () => {
  const send = createFetch(fakeTokens(), { origins: ['https://api.example.com'] })
  for (const input of ['/relative', undefined, null, 'http://']) {
    const error = await rejection(send(input))
    expect(error).toMatchObject({ name: 'TypeError', message: (await rejection(fetch(input))).message })
  }
})

test('a URL that is changed while the request waits for a token changes nothing', async () => {
  const [server, other] = [await guardedServer(new Set(['first'])), await resourceServer()]
  const url = new URL(server.url)
  const given = ['first', 'second']
  const tokens = {
    invalidate: () => true,
    getToken: async () => {
      url.href = other.url
      return given.shift()
    },
  }
  await createFetch(tokens, { origins: [server.url] })(url)
  expect(tokensOf(server)).toEqual(['first', 'second'])
  expect(other.requests).toEqual([])
})

test('a POST that was answered with a redirect is not repeated, and its token is dropped', async () => {
  const server = await resourceServer(({ path }) =>
    path === '/post' ? { status: 303, headers: { Location: '/result' } } : { status: 401 },
  )
  const tokens = fakeTokens()
  const send = createFetch(tokens, { origins: [server.url] })
  expect((await send(`${server.url}/post`, { method: 'POST', body: 'text' })).status).toBe(401)
  expect((await send(new globalThis.Request(`${server.url}/post`, { method: 'POST' }))).status).toBe(401)
  expect(server.requests.map(({ path }) => path)).toEqual(['/post', '/result', '/post', '/result'])
  expect(tokens.history.filter(({ method }) => method === 'invalidate')).toHaveLength(2)
})

test('the signal of a Request ends the wait for a token', async () => {
  const controller = new AbortController()
  const tokens = {
    invalidate: () => true,
    getToken: ({ signal }) =>
      new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  }
  const send = createFetch(tokens, { origins: ['https://api.example.com'] })
  const sending = rejection(
    send(new globalThis.Request('https://api.example.com', { signal: controller.signal })),
  )
  controller.abort(new Error('enough'))
  expect(await sending).toMatchObject({ message: 'enough' })
})

test('the copy of a Request is given back when it is not needed', async () => {
  const server = await resourceServer()
  const request = new globalThis.Request(server.url, { method: 'POST', body: 'text' })
  const copies = []
  const { clone } = request
  request.clone = () => {
    copies.push(clone.call(request))
    return copies[0]
  }
  await createFetch(fakeTokens(), { origins: [server.url] })(request)
  expect(copies).toHaveLength(1)
  expect((await copies[0].body.getReader().read()).done).toBe(true)
})

test('the copy of a Request may fail as it is given back', async () => {
  const body = new globalThis.ReadableStream({
    cancel() {
      throw new Error('of the source')
    },
  })
  const input = new globalThis.Request('https://api.example.com', { method: 'POST', body, duplex: 'half' })
  const send = createFetch(fakeTokens(), {
    origins: ['https://api.example.com'],
    fetch: async (request) => {
      request.body.cancel().catch(() => {})
      return { status: 200 }
    },
  })
  // One that nobody handles would fail the test.
  expect(await send(input)).toEqual({ status: 200 })
  await new Promise(setImmediate)
})

test('an endless refusal is not read to its end', async () => {
  const closed = new Promise((resolve) => {
    const respond = ({ token }) => (token === 'test-token-1' ? { status: 401, body: endless(resolve) } : {})
    resourceServer(respond).then(async (server) => {
      const send = createFetch(fakeTokens(), { origins: [server.url] })
      expect((await send(server.url)).status).toBe(200)
    })
  })
  expect(await closed).toBe('closed')
})

test.each([
  ['without headers', {}],
  ['with plain headers', { headers: {} }],
])('a mock %s is enough', async (_, besides) => {
  const fetch = jest
    .fn()
    .mockResolvedValue({ ok: true, status: 200, json: async () => ({ id: 1 }), ...besides })
  const send = createFetch(fakeTokens(), { origins: ['https://api.example.com'], fetch })
  expect(await (await send('https://api.example.com/x')).json()).toEqual({ id: 1 })
})
