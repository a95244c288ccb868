'use strict'

const { createFetch } = require('../fetch')
const { fakeTokens } = require('../testing')
const { guardedServer, resourceServer } = require('./support/resource-server')
const { closeAll, rejection } = require('./support/world')

afterEach(closeAll)

const tokensOf = ({ requests }) => requests.map(({ token }) => token)

test.each([
  ['a text', (url) => url],
  ['a URL', (url) => new URL(url)],
  ['a Request', (url) => new globalThis.Request(url)],
  ['an object with a text', (url) => ({ toString: () => url })],
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
])('%s gets none', async (_, urlOf) => {
  const [server, other] = [await resourceServer(), await resourceServer()]
  const seen = []
  const send = createFetch(fakeTokens(), {
    origins: [server.url],
    fetch: async (url, init) => seen.push(new globalThis.Headers(init?.headers).get('authorization')),
  })
  await send(urlOf(`${other.url}/`, new URL(server.url)))
  expect(seen).toEqual([null])
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

test('a 401 after a redirect on the same origin is about the token', async () => {
  const server = await resourceServer(({ path, token }) => {
    if (path === '/first') return { status: 302, headers: { Location: '/second' } }
    return { status: token === 'test-token-1' ? 401 : 200 }
  })
  const send = createFetch(fakeTokens(), { origins: [server.url] })
  expect((await send(`${server.url}/first`)).status).toBe(200)
})

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
    expect(await rejection(send(input))).toMatchObject({ name: 'TypeError' })
  }
})
