'use strict'

const http2 = require('node:http2')
const tls = require('node:tls')
const { gzipSync } = require('node:zlib')

const { createClock } = require('../lib/testing')
const { selfSigned } = require('./support/certificates')
const { until } = require('./support/process')
const { GRANT, http, wire } = require('./support/wire')
const { closeAll, closing, event, manager } = require('./support/world')

afterEach(closeAll)

const MIB = 1024 * 1024

/** What the first attempt of a manager fails with; nothing but the endpoint is in its message. */
async function failure(endpoint, options) {
  const { error } = await event(manager(endpoint, options), 'refresh-failed')
  expect(error.code).toBe('ERR_ENDPOINT')
  expect(error.retryable).toBe(true)
  expect(error.message.startsWith(`The token endpoint ${endpoint.tokenUrl} `)).toBe(true)
  return error.message.slice(`The token endpoint ${endpoint.tokenUrl} `.length)
}

/** Resolves when the server has no connection left: the client has given up on it. */
async function abandoned({ sockets }) {
  await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
}

/** A body of so many bytes that is a token's answer. */
function grantOf(bytes) {
  const body = JSON.stringify({ access_token: 'large', expires_in: 60 })
  return body + ' '.repeat(bytes - body.length)
}

describe('an endpoint that is slow', () => {
  /** What its first attempt fails with, whose time passes once the endpoint has the request. */
  async function slowFailure(server, requestTimeoutMs) {
    const clock = createClock()
    const failed = failure(server, { clock, requestTimeoutMs })
    await until(() => server.requests.length === 1)
    await clock.advance(requestTimeoutMs)
    return failed
  }

  test('is given up after requestTimeoutMs when it never answers', async () => {
    const server = await wire({ answer: () => {} })
    expect(await slowFailure(server, 100)).toMatch(/^did not answer within requestTimeoutMs \(100 ms\)/)
    await abandoned(server)
    expect(server.requests).toHaveLength(1)
  })

  test('is given up after requestTimeoutMs when its body drips', async () => {
    const server = await wire({
      answer: (socket) => {
        socket.write(http(200, '', { 'Content-Length': MIB }))
        const drip = setInterval(() => socket.write(' '), 10)
        socket.on('close', () => clearInterval(drip))
      },
    })
    expect(await slowFailure(server, 200)).toMatch(/^did not answer within requestTimeoutMs \(200 ms\)/)
    await abandoned(server)
  })
})

describe('a body', () => {
  const chunked = (body) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

  test.each([
    ['a Content-Length', (body) => http(200, body)],
    ['chunks', chunked],
    ['the end of the connection', (body) => `HTTP/1.1 200 OK\r\n\r\n${body}`],
  ])('of 1 MiB with %s is read, and a byte more is refused', async (_, framed) => {
    const fits = await wire({ answer: (socket) => socket.end(framed(grantOf(MIB))) })
    expect(await manager(fits).getToken()).toBe('large')
    const tooLarge = await wire({ answer: (socket) => socket.end(framed(grantOf(MIB + 1))) })
    expect(await failure(tooLarge)).toMatch(/^answered with more than 1 MiB/)
  })

  test('without end is dropped on the way', async () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    const pour = (socket) => {
      while (!socket.destroyed && socket.write(chunk));
      socket.once('drain', () => pour(socket))
    }
    const server = await wire({
      answer: (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        pour(socket)
      },
    })
    expect(await failure(server)).toMatch(/^answered with more than 1 MiB/)
    await abandoned(server)
  })
})

describe('something that is no token endpoint', () => {
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n'],
    ['a header without end', `HTTP/1.1 200 OK\r\nX-Filler: ${'x'.repeat(2 * MIB)}`],
    ['bytes', Buffer.from([0, 255, 254, 13, 10, 13, 10])],
    ['nothing', ''],
  ])('which answers with %s, is an endpoint that failed', async (_, bytes) => {
    const server = await wire({ answer: (socket) => socket.end(bytes) })
    expect(await failure(server)).toMatch(/^broke the connection off/)
  })

  test('refuses connections', async () => {
    const server = await wire()
    await server.close()
    expect(await failure(server)).toMatch(/^refuses connections/)
  })

  test('has a name that nobody knows', async () => {
    // No label is longer than 63 characters, so that no resolver needs to be asked.
    const tokenUrl = `http://${'a'.repeat(64)}.test/token`
    expect(await failure({ tokenUrl }, { provider: { allowInsecureHttp: true } })).toMatch(
      /^has a host name that cannot be resolved/,
    )
  })
})

test.each([301, 302, 303, 307, 308])(
  'a redirect (%i) is not followed: it would carry the secret away',
  async (status) => {
    const elsewhere = await wire()
    const server = await wire({
      answer: (socket) => socket.end(http(status, '', { Location: elsewhere.tokenUrl })),
    })
    const { error } = await event(manager(server), 'refresh-failed')
    expect(error).toMatchObject({ code: 'ERR_MISCONFIGURED', status })
    expect(error.message).toMatch(/redirect, which is not followed/)
    expect(elsewhere.requests).toEqual([])
  },
)

test('a connection that broke is no lost token: the next attempt makes another', async () => {
  const answers = ['', GRANT]
  const server = await wire({ answer: (socket) => socket.end(answers.shift()) })
  expect(await manager(server).getToken()).toBe('token-at-the-wire')
  expect(server.requests).toHaveLength(2)
})

describe('an answer that ends otherwise than it should', () => {
  const GRANTED = JSON.stringify({ access_token: 'abc', expires_in: 60 })
  const REJECTED = JSON.stringify({ error: 'invalid_client' })
  const longer = (status, body) => http(status, body, { 'Content-Length': body.length + 1 })
  const chunk = (status, body) =>
    `HTTP/1.1 ${status} Status\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`

  const ENDS = [
    ['before its length', longer, (socket) => socket.end()],
    ['without its last chunk', chunk, (socket) => socket.end()],
    ['with a reset', longer, (socket) => socket.resetAndDestroy()],
    [
      'after the time of HTTP/1.0',
      (status, body) => `HTTP/1.0 ${status} Status\r\n\r\n${body}`,
      (it) => it.end(),
    ],
  ]

  test.each(ENDS)('%s is taken when its object is whole', async (_, framed, end) => {
    const granting = await wire({ answer: (socket) => socket.write(framed(200, GRANTED), () => end(socket)) })
    expect(await manager(granting).getToken()).toBe('abc')
    const rejecting = await wire({
      answer: (socket) => socket.write(framed(401, REJECTED), () => end(socket)),
    })
    const { error } = await event(manager(rejecting), 'refresh-failed')
    expect(error).toMatchObject({ code: 'ERR_CREDENTIAL_REJECTED', oauthError: 'invalid_client' })
  })

  test.each(ENDS.slice(0, 3))(
    '%s is no answer when a part of its object is missing',
    async (_, framed, end) => {
      const part = GRANTED.slice(0, -1)
      const server = await wire({ answer: (socket) => socket.write(framed(200, part), () => end(socket)) })
      expect(await failure(server)).toMatch(/^broke the connection off/)
    },
  )

  test('in the midst of gzip is taken when its object is whole', async () => {
    const body = gzipSync(GRANTED).subarray(0, -8)
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length + 8}\r\n\r\n`
    const server = await wire({ answer: (socket) => socket.end(Buffer.concat([Buffer.from(head), body])) })
    expect(await manager(server).getToken()).toBe('abc')
  })

  test('never is taken after requestTimeoutMs when its object is whole', async () => {
    const clock = createClock()
    const server = await wire({ answer: (socket) => socket.write(longer(200, GRANTED)) })
    const token = manager(server, { clock, requestTimeoutMs: 1000 }).getToken()
    await until(() => server.requests.length === 1)
    await clock.advance(1000)
    expect(await token).toBe('abc')
  })

  test('over TLS without a word is taken when its object is whole', async () => {
    const certificate = await selfSigned('endpoint')
    const secureContext = tls.createSecureContext(certificate)
    const serving = (framed) =>
      wire({
        onConnection: (raw) => {
          const socket = new tls.TLSSocket(raw, { isServer: true, secureContext })
          socket.on('error', () => {})
          // TCP ends, and TLS never does.
          socket.once('data', () => socket.write(framed, () => raw.end()))
        },
      })
    const reached = ({ tokenUrl }) => [
      { tokenUrl: tokenUrl.replace('http:', 'https:') },
      { provider: { tls: { ca: certificate.cert } } },
    ]
    const whole = await serving(`HTTP/1.1 200 OK\r\n\r\n${GRANTED}`)
    expect(await manager(...reached(whole)).getToken()).toBe('abc')
    const part = await serving(`HTTP/1.1 200 OK\r\n\r\n${GRANTED.slice(0, -1)}`)
    expect(await failure(...reached(part))).toMatch(/^broke the connection off/)
  })
})

describe('headers', () => {
  const TOKEN = { access_token: 'abc', expires_in: 60 }

  test.each([101, 1000, 3000])('of %d lines are no reason to give up, as in Node', async (count) => {
    const lines = Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, index]))
    const server = await wire({ answer: (socket) => socket.end(http(200, JSON.stringify(TOKEN), lines)) })
    expect(await manager(server).getToken()).toBe('abc')
  })

  test('that are folded, as they were once, are read', async () => {
    const folded = { 'X-Long': 'one\r\n two\r\n\tthree' }
    const server = await wire({ answer: (socket) => socket.end(http(200, JSON.stringify(TOKEN), folded)) })
    expect(await manager(server).getToken()).toBe('abc')
  })
})

describe('an endpoint that speaks HTTP/2 only', () => {
  let certificate
  beforeAll(async () => {
    certificate = await selfSigned('endpoint')
  })

  const listening = async (server) => {
    const sockets = new Set()
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
    })
    server.on('sessionError', () => {})
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing({
      close: () => {
        for (const socket of sockets) socket.destroy()
        return new Promise((resolve) => server.close(resolve))
      },
    })
    return server.address().port
  }
  const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])

  const IS_SAID = /^speaks HTTP\/2 only, and HTTP\/1\.1 is needed/
  // What comes is no HTTP/1.1, and more is not known of it.
  const IS_SUPPOSED = /^broke the connection off, or does not speak HTTP\/1\.1 \(perhaps HTTP\/2 only/

  test.each([
    [
      'and knows ALPN',
      'https',
      IS_SAID,
      () => http2.createSecureServer({ ...certificate, allowHTTP1: false }),
    ],
    [
      'and does not know ALPN',
      'https',
      IS_SUPPOSED,
      () => tls.createServer(certificate, (socket) => socket.on('error', () => {}).end(SETTINGS)),
    ],
    ['in the clear', 'http', IS_SUPPOSED, () => http2.createServer()],
  ])('%s is told so', async (_, scheme, said, create) => {
    const port = await listening(create())
    const endpoint = { tokenUrl: `${scheme}://127.0.0.1:${port}/oauth/token` }
    const message = await failure(endpoint, { provider: { tls: { ca: certificate.cert } } })
    expect(message).toMatch(said)
  })

  test('beside HTTP/1.1 is asked over that', async () => {
    const server = http2.createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
      response.end(JSON.stringify({ access_token: request.httpVersion, expires_in: 60 }))
    })
    const endpoint = { tokenUrl: `https://127.0.0.1:${await listening(server)}/` }
    const tokens = manager(endpoint, { provider: { tls: { ca: certificate.cert } } })
    expect(await tokens.getToken()).toBe('1.1')
  })
})

describe('every request', () => {
  const { version } = require('../package.json')

  test('says what sends it, and asks for an answer as it is', async () => {
    const server = await wire()
    await manager(server).ready()
    const { headers } = server.requests[0]
    expect(headers['user-agent']).toBe(`oauth-rotor/${version}`)
    expect(headers['accept-encoding']).toBe('identity')
  })

  test('says what the option userAgent has, also the one that verifies', async () => {
    const [server, resource] = [await wire(), await wire()]
    const userAgent = 'acme-webhooks/1.2 (ops@acme.example)'
    for (const [provider, said] of [
      [{ userAgent }, userAgent],
      [{}, `oauth-rotor/${version}`],
    ]) {
      const tokens = manager(server, { provider })
      await tokens.ready()
      await tokens.rotate({ clientSecret: `for ${said}`, verify: { url: `${resource.url}/me` } })
      expect(server.requests.at(-1).headers['user-agent']).toBe(said)
      expect(resource.requests.at(-1)).toMatchObject({ method: 'GET', headers: { 'user-agent': said } })
    }
  })
})
