'use strict'

const http = require('node:http')
const { Readable } = require('node:stream')
const { closing } = require('./world')

/**
 * A server on 127.0.0.1 that the test's end closes, with every request that it got (method, path,
 * token, headers, body) and how many connections. `respond(request)` returns `{ status, headers,
 * body }`; by default the body that came, with 200. A body may be a stream.
 */
async function resourceServer(respond = () => ({})) {
  const requests = []
  const server = http.createServer(async (incoming, outgoing) => {
    const chunks = []
    for await (const chunk of incoming) chunks.push(chunk)
    const { method, url: path, headers } = incoming
    const [, token] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? []
    const request = { method, path, token, headers, body: Buffer.concat(chunks) }
    requests.push(request)
    const { status = 200, headers: answered, body = request.body } = await respond(request)
    outgoing.writeHead(status, { ...answered })
    if (body instanceof Readable) body.pipe(outgoing).once('close', () => body.destroy())
    else outgoing.end(body)
  })
  let connections = 0
  server.on('connection', () => (connections += 1))
  // Clients let go of idle connections before the server does.
  server.keepAliveTimeout = 120_000
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  const url = `http://127.0.0.1:${server.address().port}`
  return closing({ url, requests, close, connections: () => connections })
}

/** A body without an end; `tell('closed')` is called when its connection is closed. */
function endless(tell) {
  const chunk = Buffer.alloc(16_384, 'x')
  const body = new Readable({
    read() {
      setImmediate(() => body.push(chunk))
    },
  })
  return body.once('close', () => tell('closed'))
}

/** One that refuses these tokens, and requests without any, with 401. */
async function guardedServer(refused, besides = {}) {
  const server = await resourceServer(({ token }) =>
    token === undefined || refused.has(token) ? { status: 401, body: '{"status":401}', ...besides } : {},
  )
  return server
}

module.exports = { endless, guardedServer, resourceServer }
