'use strict'

const net = require('node:net')
const tls = require('node:tls')

const { closing } = require('./world')

/** A token answer as bytes, for tests that write them by hand. */
const GRANT = http(200, JSON.stringify({ access_token: 'token-at-the-wire', expires_in: 3600 }))

/** An HTTP answer as bytes. */
function http(status, body, headers = {}) {
  const all = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Status\r\n${lines.join('')}\r\n${body}`
}

/**
 * A server below HTTP, which the test's end closes. It keeps every request as it came, and calls
 * `answer(socket, request)` for each; without it a token is granted. `secure` holds options of
 * `tls.createServer`, and makes it one.
 */
async function wire({ answer = (socket) => socket.end(GRANT), onConnection = () => {}, secure } = {}) {
  const requests = []
  const sockets = new Set()
  const serve = (socket) => {
    let bytes = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      const request = parse(bytes)
      if (request === undefined) return
      bytes = Buffer.alloc(0)
      requests.push(request)
      answer(socket, request)
    })
    onConnection(socket)
  }
  const listener = secure === undefined ? net.createServer(serve) : tls.createServer(secure, serve)
  // Handshakes that fail are what some tests are about.
  listener.on('tlsClientError', () => {})
  listener.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address()
  const url = `${secure === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => listener.close(resolve))
  }
  return closing({ port, url, tokenUrl: `${url}/oauth/token`, requests, sockets, close })
}

/** A whole request with a Content-Length, or undefined while some of it is missing. */
function parse(bytes) {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [line, ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = {}
  for (const field of fields) {
    const [, name, value] = /^([^:]+): *(.*)$/.exec(field)
    headers[name.toLowerCase()] = value
  }
  const body = bytes.subarray(end + 4)
  if (body.length < Number(headers['content-length'] ?? 0)) return undefined
  const [method, path, version] = line.split(' ')
  return { method, path, version, headers, body: body.toString('latin1') }
}

module.exports = { GRANT, http, wire }
