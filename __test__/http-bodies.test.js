'use strict'

const { Blob } = require('node:buffer')
const { Readable } = require('node:stream')
const { createFetch } = require('../lib/integrations/fetch')
const { fakeTokens } = require('../lib/testing')
const { CLIENTS } = require('./support/http-clients')
const { guardedServer } = require('./support/resource-server')
const { closeAll, closing, rejection } = require('./support/world')

afterEach(closeAll)

function formData(FormData) {
  const form = new FormData()
  form.set('text', 'in a form')
  form.set('file', new Blob(['in a file']), 'file.txt')
  return form
}

async function* chunks() {
  yield Buffer.from('in ')
  yield Buffer.from('chunks')
}

/** What is sent, by its name; a client may have a FormData of its own. */
const REPEATED = {
  'a string': () => 'in a string',
  'an empty string': () => '',
  'a Buffer': () => Buffer.from('in a buffer'),
  'a Uint8Array': () => new Uint8Array(Buffer.from('in an array')),
  URLSearchParams: () => new URLSearchParams({ text: 'in parameters' }),
  FormData: ({ FormData = globalThis.FormData } = {}) => formData(FormData),
  'a Blob': () => new Blob(['in a blob']),
  'an iterable that can be read again': () => ({ [Symbol.asyncIterator]: chunks }),
}

const REFUSED = {
  'a stream of Node.js': () => Readable.from(chunks()),
  'a ReadableStream': () => new Blob(['in a stream']).stream(),
  'an async generator': () => chunks(),
}

/** What a client cannot send at all. */
const NEVER = {
  undici: ['URLSearchParams'],
  fetch: [],
  axios: ['an iterable that can be read again', 'an async generator'],
  'axios over http': ['a ReadableStream'],
  'axios-oldest over http': ['a Blob', 'a ReadableStream'],
  'axios over fetch': [],
}

function sent(name, bodies) {
  const kind = /^[a-z]+/.exec(name)[0]
  const never = [...(NEVER[kind] ?? []), ...(NEVER[name] ?? [])]
  return Object.entries(bodies).filter(([body]) => !never.includes(body))
}

describe.each(CLIENTS.filter(({ isSdk }) => !isSdk))('$name', ({ name, open }) => {
  const library = name.startsWith('undici') ? require(name.split(' ')[0]) : undefined

  test.each(sent(name, REPEATED))('%s is sent again', async (what, body) => {
    const server = await guardedServer(new Set(['test-token-1']))
    const client = closing(open({ url: server.url, tokens: fakeTokens() }))
    const answer = await client.send({ path: '/', method: 'POST', body: body(library) })
    expect(answer.status).toBe(200)
    const [first, second] = server.requests.map(({ token, headers, body: bytes }) => {
      // Each time with a boundary of its own.
      const boundary = /^--(\S+)/.exec(bytes.toString())?.[1] ?? 'none'
      return {
        token,
        type: headers['content-type']?.split(';')[0],
        text: bytes.toString().replaceAll(boundary, ''),
      }
    })
    expect(second).toEqual({ ...first, token: 'test-token-2' })
    if (what !== 'an empty string') expect(first.text).toMatch(/\bin\b/)
  })

  test.each(sent(name, REFUSED))('%s is not: an error says so, and the token is dropped', async (_, body) => {
    const server = await guardedServer(new Set(['test-token-1']))
    const tokens = fakeTokens()
    const client = closing(open({ url: server.url, tokens }))
    const error = await rejection(client.send({ path: '/', method: 'POST', body: body() }))
    expect(error).toMatchObject({ code: 'ERR_BODY_CONSUMED', status: 401, retryable: true })
    expect(error.message).toMatch(/^A resource refused .* \(401\).* body is a stream .* with a new body\.$/)
    expect(server.requests).toHaveLength(1)
    expect((await client.send({ path: '/', method: 'POST', body: body() })).status).toBe(200)
    expect(server.requests[1].token).toBe('test-token-2')
  })
})

describe('a Request', () => {
  const request = (url, init) =>
    new globalThis.Request(url, { method: 'POST', headers: { 'x-mine': 'kept' }, ...init })

  test('is sent again with its body and its headers', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const send = createFetch(fakeTokens(), { origins: [server.url] })
    expect((await send(request(server.url, { body: 'in a request' }))).status).toBe(200)
    expect(server.requests.map(({ body, headers }) => [body.toString(), headers['x-mine']])).toEqual([
      ['in a request', 'kept'],
      ['in a request', 'kept'],
    ])
  })

  test('is read when it was sent once', async () => {
    const server = await guardedServer(new Set())
    const send = createFetch(fakeTokens(), { origins: [server.url] })
    const given = request(server.url, { body: 'in a request' })
    expect((await send(given)).status).toBe(200)
    expect(given.bodyUsed).toBe(true)
    expect(await rejection(send(given))).toMatchObject({ name: 'TypeError' })
  })

  test('with another body in the options is sent with that', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const send = createFetch(fakeTokens(), { origins: [server.url] })
    await send(request(server.url, { body: 'in a request' }), { body: 'in the options' })
    expect(server.requests.map(({ body }) => body.toString())).toEqual(['in the options', 'in the options'])
  })
})

test("undici's fetch makes an iterator of each body: an error says that it cannot be repeated", async () => {
  const { fetch } = require('undici-7')
  const { createInterceptor } = require('../lib/integrations/undici')
  const server = await guardedServer(new Set(['test-token-1']))
  const agent = closing(new (require('undici-7').Agent)())
  const dispatcher = agent.compose(createInterceptor(fakeTokens(), { origins: [server.url] }))
  const error = await rejection(fetch(server.url, { method: 'POST', body: 'text', dispatcher }))
  expect(error.cause).toMatchObject({ code: 'ERR_BODY_CONSUMED' })
  expect((await fetch(server.url, { dispatcher })).status).toBe(200)
})
