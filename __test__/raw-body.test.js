'use strict'

const { once } = require('node:events')
const { createServer, request: httpRequest } = require('node:http')
const { Readable } = require('node:stream')
const { text } = require('node:stream/consumers')
const { gzipSync } = require('node:zlib')
const { expressRawBody, fastifyRawBody, readRawBody } = require('../lib/integrations/raw-body')
const { closeAll, closing, rejection } = require('./support/world')

afterEach(closeAll)

const ANY_PORT = { port: 0, host: '127.0.0.1' }

/** What a handler saw of a request. */
const seen = ({ rawBody, body }) => ({ raw: rawBody.toString('base64'), body })
const told = ({ code, message, status }) => ({ code, message, status })

/** Starts a server, which the test's end closes, and returns its URL. */
async function listening(server) {
  server.listen(ANY_PORT)
  await once(server, 'listening')
  closing({ close: () => (server.closeAllConnections(), new Promise((done) => server.close(done))) })
  return `http://127.0.0.1:${server.address().port}`
}

async function openExpress(library, { options, before = [], after = [], errors = [] } = {}) {
  const express = require(library)
  const app = express()
  app.disable('x-powered-by')
  app.use(
    ...before.map((make) => make(express)),
    expressRawBody(options),
    ...after.map((make) => make(express)),
  )
  app.use((request, response) => response.json(seen(request)))
  app.use((error, request, response, next) => {
    errors.push(error)
    if (response.headersSent) next(error)
    else response.status(error.status).json(told(error))
  })
  return listening(createServer(app))
}

async function openFastify(library, { options, prepare = () => {}, errors = [] } = {}) {
  const app = closing(require(library)({ forceCloseConnections: true }))
  await prepare(app)
  app.register(fastifyRawBody(options))
  app.all('/', async (request) => seen(request))
  app.setErrorHandler((error, request, reply) => {
    errors.push(error)
    return reply.code(error.status ?? error.statusCode).send(told(error))
  })
  return app.listen(ANY_PORT)
}

function openHttp(_, { options, errors = [] } = {}) {
  return listening(
    createServer(async (request, response) => {
      try {
        response.end(JSON.stringify(seen({ rawBody: await readRawBody(request, options) })))
      } catch (error) {
        errors.push(error)
        response.writeHead(error.status).end(JSON.stringify(told(error)))
      }
    }),
  )
}

const HOSTS = [
  ['express-4', openExpress],
  ['express', openExpress],
  ['fastify-4', openFastify],
  ['fastify', openFastify],
  ['node:http', openHttp],
]
const FRAMEWORKS = HOSTS.slice(0, 4)

const JSON_HEADERS = { 'content-type': 'application/json' }
const TEXT_HEADERS = { 'content-type': 'text/plain' }

async function post(url, body, headers = JSON_HEADERS) {
  const duplex = body instanceof Readable ? { duplex: 'half' } : {}
  const response = await fetch(url, { method: 'POST', body, headers, ...duplex })
  return { status: response.status, ...(await response.json()) }
}

const base64 = (bytes) => Buffer.from(bytes).toString('base64')

describe.each(HOSTS)('%s', (library, open) => {
  test('gives the bytes as they came', async () => {
    const url = await open(library)
    const spaced = '{ "a":1,\n "b" : "\\u00e9é" }\r\n'
    expect(await post(url, spaced)).toMatchObject({ status: 200, raw: base64(spaced) })
    const noText = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a])
    expect(await post(url, noText, TEXT_HEADERS)).toMatchObject({ status: 200, raw: base64(noText) })
  })

  test('joins what comes in pieces', async () => {
    const url = await open(library)
    const pieces = ['["', 'é', '", ', '1'.repeat(100_000), ']'].map((text) => Buffer.from(text))
    const bytes = Buffer.concat(pieces)
    const halves = [...pieces.slice(0, 1), bytes.subarray(2, 3), bytes.subarray(3)]
    expect(await post(url, Readable.from(halves))).toMatchObject({ status: 200, raw: base64(bytes) })
  })

  test('gives no bytes for a request without a body', async () => {
    const url = await open(library)
    const response = await fetch(url)
    expect(await response.json()).toEqual({ raw: '' })
    expect(await post(url, '', {})).toMatchObject({ status: 200, raw: '' })
  })

  test('takes a body of exactly the limit, and answers 413 to one byte more', async () => {
    const url = await open(library, { options: { limit: 10 } })
    expect(await post(url, '"12345678"')).toMatchObject({ status: 200 })
    const refused = {
      status: 413,
      code: 'ERR_RAW_BODY',
      message: 'The body of the request is larger than the limit of 10 bytes.',
    }
    expect(await post(url, '"123456789"')).toEqual(refused)
    // Without a Content-Length, the bytes themselves are counted.
    expect(await post(url, Readable.from([Buffer.from('"12345'), Buffer.from('6789"')]))).toEqual(refused)
  })

  test('answers 413 at once to a body that says that it is too large', async () => {
    const url = await open(library, { options: { limit: 10 } })
    const request = httpRequest(url, { method: 'POST', headers: { ...JSON_HEADERS, 'content-length': 11 } })
    request.flushHeaders()
    const [response] = await once(request, 'response')
    expect(response.statusCode).toBe(413)
    request.destroy()
  })

  test('has a limit of 1 MiB by default', async () => {
    const url = await open(library)
    const body = (length) => `"${'x'.repeat(length - 2)}"`
    expect((await post(url, body(1_048_576))).status).toBe(200)
    expect((await post(url, body(1_048_577))).status).toBe(413)
  })

  test('fails for a request that its sender aborts', async () => {
    const errors = []
    const noted = new Promise((done) => (errors.push = done))
    const url = await open(library, { errors })
    const request = httpRequest(url, { method: 'POST', headers: { ...JSON_HEADERS, 'content-length': 100 } })
    request.on('error', () => {})
    request.write('{"a":', () => request.destroy())
    expect(await noted).toMatchObject({ code: 'ERR_RAW_BODY', status: 400 })
  })
})

describe.each(FRAMEWORKS)('%s', (library, open) => {
  test('parses JSON for the handler', async () => {
    const url = await open(library)
    expect((await post(url, '{"event":{"id":"é"}}')).body).toEqual({ event: { id: 'é' } })
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    expect((await post(url, '[1]', headers)).body).toEqual([1])
  })

  test('answers 400 to JSON that is none', async () => {
    const url = await open(library)
    const { status, message } = await post(url, '{"event":')
    expect(status).toBe(400)
    expect(message).not.toContain('event')
  })

  test.each(['gzip', 'br', 'x-unknown'])('answers 415 to a Content-Encoding of %s', async (encoding) => {
    const url = await open(library)
    const headers = { ...JSON_HEADERS, 'content-encoding': encoding }
    expect(await post(url, gzipSync('{}'), headers)).toMatchObject({ status: 415, code: 'ERR_RAW_BODY' })
    expect((await post(url, '{}', { ...headers, 'content-encoding': 'Identity' })).status).toBe(200)
  })

  test('keeps the bytes once when it is mounted twice', async () => {
    const url = await open(library, {
      before: [() => expressRawBody()],
      prepare: (app) => app.register(fastifyRawBody()),
    })
    expect(await post(url, '[1]')).toEqual({ status: 200, raw: base64('[1]'), body: [1] })
  })
})

describe('express', () => {
  test.each(['express-4', 'express'])(
    '%s: express.json() and others leave its requests alone',
    async (library) => {
      const all = { type: () => true }
      const url = await openExpress(library, {
        after: [
          (express) => express.json(all),
          (express) => express.urlencoded({ ...all, extended: false }),
          (express) => express.raw(all),
        ],
      })
      expect(await post(url, '{"a":1}')).toEqual({ status: 200, raw: base64('{"a":1}'), body: { a: 1 } })
      const problem = { 'content-type': 'application/problem+json' }
      expect((await post(url, '{"a":1}', problem)).body).toEqual({ a: 1 })
      const form = await post(url, 'a=1', { 'content-type': 'application/x-www-form-urlencoded' })
      expect(form).toEqual({ status: 200, raw: base64('a=1') })
    },
  )

  test.each(['express-4', 'express'])('%s: says what to do behind express.json()', async (library) => {
    const url = await openExpress(library, { before: [(express) => express.json()] })
    expect(await post(url, '{"a":1}')).toEqual({
      status: 500,
      code: 'ERR_SIGNATURE_BODY_PARSED',
      message:
        'The body of the request was read before its raw bytes could be kept. Mount expressRawBody() before express.json() and other middleware that reads bodies.',
    })
    // express.json() has not read this one.
    expect(await post(url, 'text', TEXT_HEADERS)).toMatchObject({ status: 200, raw: base64('text') })
  })

  test('uses the bytes that a platform has kept, and leaves what it has parsed', async () => {
    const platform = () => (request, response, next) => {
      Object.assign(request, { rawBody: Buffer.from('kept'), body: { parsed: true } })
      next()
    }
    const url = await openExpress('express', { before: [platform] })
    expect(await post(url, '{}')).toEqual({ status: 200, raw: base64('kept'), body: { parsed: true } })
  })
})

describe.each(['fastify-4', 'fastify'])('%s', (library) => {
  test('parses bodies with the parsers of the application', async () => {
    const url = await openFastify(library, {
      prepare: (app) => {
        const parse = async (request, text) => Object.fromEntries(new URLSearchParams(text))
        app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, parse)
      },
    })
    const form = await post(url, 'a=1', { 'content-type': 'application/x-www-form-urlencoded' })
    expect(form).toEqual({ status: 200, raw: base64('a=1'), body: { a: '1' } })
    const unknown = await post(url, 'x', { 'content-type': 'application/x-unknown' })
    expect(unknown).toMatchObject({ status: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' })
    expect((await post(url, '{"__proto__":{}}')).status).toBe(400)
  })

  test('applies to the instance that registers it, and not to those around it', async () => {
    const app = closing(require(library)({ forceCloseConnections: true }))
    const hasRawBody = async ({ rawBody }) => ({ has: rawBody !== undefined })
    app.post('/other', hasRawBody)
    app.register(async (webhooks) => {
      webhooks.post('/webhooks', hasRawBody)
      webhooks.register(fastifyRawBody())
      webhooks.register(async (inside) => inside.post('/inside', hasRawBody))
    })
    const url = await app.listen(ANY_PORT)
    const answers = ['/other', '/webhooks', '/inside'].map((route) => post(url + route, '{}'))
    expect((await Promise.all(answers)).map(({ has }) => has)).toEqual([false, true, true])
  })

  test('says what to do behind a plugin that replaces or reads the body', async () => {
    const replacing = (app) => app.addHook('preParsing', async () => Readable.from('{}'))
    const reading = (app) =>
      app.addHook('preParsing', async ({ raw }) => {
        await text(raw)
      })
    const message =
      'The body of the request was read before its raw bytes could be kept. Register fastifyRawBody() before other plugins that read or replace bodies.'
    for (const prepare of [replacing, reading]) {
      const url = await openFastify(library, { prepare })
      const refused = { status: 500, code: 'ERR_SIGNATURE_BODY_PARSED', message }
      expect(await post(url, '{}')).toEqual(refused)
    }
  })

  test("the application's smaller bodyLimit holds", async () => {
    const app = closing(require(library)({ bodyLimit: 5, forceCloseConnections: true }))
    app.register(fastifyRawBody({ limit: 10 }))
    app.post('/', async () => ({}))
    const url = await app.listen(ANY_PORT)
    expect([(await post(url, '"123"')).status, (await post(url, '"1234"')).status]).toEqual([200, 413])
  })
})

describe('node:http', () => {
  test('passes on compressed bytes as they are', async () => {
    const url = await openHttp()
    const bytes = gzipSync('{}')
    const { raw } = await post(url, bytes, { ...JSON_HEADERS, 'content-encoding': 'gzip' })
    expect(raw).toBe(base64(bytes))
  })

  test('says what to do when the body was read before, or is read as text', async () => {
    const failures = []
    const url = await listening(
      createServer(async (request, response) => {
        if (request.url === '/text') request.setEncoding('utf8')
        else await text(request)
        failures.push(await rejection(readRawBody(request)))
        response.end('{}')
      }),
    )
    await post(`${url}/text`, 'x')
    await post(`${url}/read`, 'x')
    expect(failures.map(({ code, message }) => [code, /Call readRawBody\(\) before/.test(message)])).toEqual([
      ['ERR_SIGNATURE_BODY_PARSED', true],
      ['ERR_SIGNATURE_BODY_PARSED', true],
    ])
  })

  test('an empty body that was read before is empty', async () => {
    const url = await listening(
      createServer(async (request, response) => {
        await text(request)
        response.end(JSON.stringify(seen({ rawBody: await readRawBody(request) })))
      }),
    )
    expect(await post(url, '')).toEqual({ status: 200, raw: '' })
  })

  test('a connection is used again after a body that was too large', async () => {
    const url = await openHttp('', { options: { limit: 10 } })
    const { Agent } = require('undici-7')
    const { request } = require('undici-7')
    const dispatcher = closing(new Agent({ connections: 1 }))
    const statuses = []
    for (const body of ['x'.repeat(200_000), 'x']) {
      const response = await request(url, { dispatcher, method: 'POST', body })
      statuses.push(response.statusCode)
      await response.body.dump()
    }
    expect(statuses).toEqual([413, 200])
  })

  test.each([
    ['nothing', undefined, 'nothing'],
    ['a body', 'body', 'a string of 4 characters'],
    ['a Request of fetch', new globalThis.Request('http://x'), 'an object'],
  ])('%s is no request', async (_, value, got) => {
    expect(await rejection(readRawBody(value))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: `readRawBody(request) takes a request of node:http, got ${got}.`,
    })
  })
})

describe('options', () => {
  const calls = [
    ['expressRawBody', async (options) => expressRawBody(options)],
    ['fastifyRawBody', async (options) => fastifyRawBody(options)],
    ['readRawBody', (options) => readRawBody(Readable.from([]), options)],
  ]

  test.each(calls)('%s() refuses what is wrong', async (name, call) => {
    for (const limit of [0, -1, 1.5, NaN, Infinity, '1mb', 1_073_741_825, null]) {
      const { code, message } = await rejection(call({ limit }))
      expect([code, message]).toEqual([
        'ERR_INVALID_ARGUMENT',
        expect.stringMatching(
          new RegExp(
            `^${name}\\(\\{ limit \\}\\) takes a whole number of bytes from 1 to 1,073,741,824, got`,
          ),
        ),
      ])
    }
    expect((await rejection(call({ limits: 1 }))).message).toMatch(/no option "limits".*Did you mean limit\?/)
    expect((await rejection(call('1mb'))).message).toMatch(
      /takes an object \{ limit \} or nothing, got a string/,
    )
  })
})
