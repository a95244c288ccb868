'use strict'

const http = require('node:http')
const https = require('node:https')
const net = require('node:net')

const { closing } = require('./world')

/**
 * An HTTP proxy, which the test's end closes: CONNECT for https, the absolute form for http. It
 * reaches every host at this machine, whatever its name, and keeps what it was asked for. `refuse`
 * is a status that it answers instead.
 */
async function forwardProxy({ secure, refuse } = {}) {
  const log = []
  const sockets = new Set()
  const server = secure === undefined ? http.createServer() : https.createServer(secure)
  const keep = (request) =>
    log.push({
      method: request.method,
      target: request.url,
      authorization: request.headers['proxy-authorization'],
      headers: request.headers,
    })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => {})
  server.on('request', (request, response) => {
    keep(request)
    if (refuse !== undefined) return response.writeHead(refuse).end('<html>No.</html>')
    const { port, pathname } = new URL(request.url)
    const { method, headers } = request
    const onward = http.request({ host: '127.0.0.1', port, path: pathname, method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    return request.pipe(onward)
  })
  server.on('connect', (request, socket) => {
    keep(request)
    if (refuse !== undefined) return socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`)
    const onward = net.connect(Number(request.url.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
    socket.on('close', () => onward.destroy())
    return undefined
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  }
  const scheme = secure === undefined ? 'http' : 'https'
  return closing({ port, url: `${scheme}://127.0.0.1:${port}`, log, close })
}

module.exports = { forwardProxy }
