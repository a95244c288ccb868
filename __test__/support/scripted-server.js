'use strict'

const { EventEmitter, once } = require('node:events')
const http = require('node:http')
const https = require('node:https')
const { atEnd } = require('./world')

/**
 * A server of HTTP, or of HTTPS with `tls`, that gives its answers in order, and then `otherwise`,
 * each `{ status, body? }` or a function of the request that makes one. 'hang' is never answered.
 * `requests` has what came: `{ method, path, headers, body }`, the body as it is read from JSON;
 * `next()` resolves when another one has come.
 */
async function scriptedServer({ tls, otherwise }) {
  const requests = []
  const answers = []
  const arrivals = new EventEmitter()
  const server = (tls ? https.createServer(tls) : http.createServer()).on(
    'request',
    async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      const { method, url, headers } = request
      const seen = { method, path: url, headers, body: text === '' ? undefined : JSON.parse(text) }
      requests.push(seen)
      arrivals.emit('request')
      const scripted = answers.shift() ?? otherwise
      if (scripted === 'hang') return
      const { status, body = {} } = typeof scripted === 'function' ? scripted(seen) : scripted
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    },
  )
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address()
  return {
    port,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    next: () => once(arrivals, 'request'),
    respond: (...more) => answers.push(...more),
  }
}

module.exports = { scriptedServer }
