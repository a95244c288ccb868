'use strict'

const { createClock } = require('../testing')
const { until } = require('./support/process')
const { GRANT, http, wire } = require('./support/wire')
const { closeAll, event, manager } = require('./support/world')

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

  test('that ends too soon is no answer', async () => {
    const body = JSON.stringify({ access_token: 'abc', expires_in: 60 })
    const cut = http(200, body, { 'Content-Length': body.length + 1 })
    expect(await failure(await wire({ answer: (socket) => socket.end(cut) }))).toMatch(
      /^broke the connection off/,
    )
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
