'use strict'

const { randomBytes } = require('node:crypto')
const http = require('node:http')
const https = require('node:https')
const { gzipSync } = require('node:zlib')

const { authority, issue } = require('./certificates')

const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))

/**
 * Token endpoints that repeat all they know, in as many ways as there are paths. A URL's first
 * request is granted a token, so that there is one to repeat; `/grant` grants all. `tokens` are all
 * that were issued.
 */
async function startHostileServers() {
  const tokens = []
  const sockets = new Set()
  const seen = new Map()

  const newToken = () => {
    tokens.push(randomBytes(32).toString('base64url'))
    return tokens.at(-1)
  }
  const grant = (more) => ({ access_token: newToken(), token_type: 'bearer', expires_in: 3600, ...more })

  /** The request, decoded and not, and the last token of this path. */
  const everything = (request, body, last) => {
    const authorization = request.headers.authorization ?? ''
    const decoded = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
    const proxy = request.headers['proxy-authorization'] ?? ''
    const proxyDecoded = Buffer.from(proxy.replace(/^Basic /, ''), 'base64').toString()
    // A server that was sent the form-encoded secret knows what it stands for.
    const isEncoded = request.url.endsWith('?basic')
    const secret = isEncoded ? decodeURIComponent(decoded.split(':')[1].replaceAll('+', ' ')) : ''
    const sent = new URLSearchParams(body).get('client_secret')
    const texts = [last, decoded, authorization, secret, sent, proxy, proxyDecoded, body]
    return texts.filter(Boolean).join(' | ')
  }

  const wrong = (all) => ({ error: 'invalid_client', message: all })
  const escaped = (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

  const answers = {
    error: (all) => [400, { error: all }],
    description: (all) => [400, { error: 'invalid_scope', error_description: all }],
    client: (all) => [
      401,
      { error: 'invalid_client', error_description: `${'x'.repeat(200)} ${all}`, description: all },
    ],
    throttled: (all) => [
      429,
      { error: 'slow_down', error_description: all },
      { 'Retry-After': encodeURI(all) },
    ],
    html: (all) => [500, `<html><title>${all}</title></html>`],
    page: (all) => [200, `<html><title>${all}</title></html>`],
    refused: (all) => [403, all],
    headers: (all) => [
      503,
      { error: 'temporarily_unavailable', [all]: all },
      {
        Date: encodeURI(all),
        'WWW-Authenticate': `Basic realm="${encodeURI(all)}"`,
        [`X-${newToken()}`]: 'x',
      },
    ],
    ok: (all) => [200, { error: all, error_description: all, ...grant() }],
    own: () => {
      const granted = grant()
      return [200, { ...granted, error: 'invalid_request', error_description: `not ${granted.access_token}` }]
    },
    redirect: (all) => [
      302,
      all,
      { Location: `http://me:${encodeURIComponent(all)}@127.0.0.1/?secret=${encodeURIComponent(all)}` },
    ],
    'not-a-header': (all) => [200, grant({ access_token: `${newToken()} ${all}` })],
    'not-bearer': (all) => [200, grant({ token_type: all })],
    expired: (all) => [200, grant({ expires_in: 0, scope: all })],
    brief: (all) => [200, grant({ expires_in: 0.002, scope: all })],
    number: (all) => [200, grant({ access_token: { all } })],
    gzip: (all) => [401, gzipSync(JSON.stringify(wrong(all))), { 'Content-Encoding': 'gzip' }],
    'gzip-of-a-grant': (all) => [200, gzipSync(JSON.stringify(grant({ token_type: all })))],
    mark: (all) => [400, `\ufeff${JSON.stringify(wrong(all))}`],
    latin1: (all) => [400, Buffer.from(JSON.stringify(wrong(all)), 'latin1')],
    mojibake: (all) => [400, JSON.stringify(wrong(Buffer.from(all).toString('latin1')))],
    escaped: (all) => [400, JSON.stringify(wrong(all)).replace(/[/é]/g, (char) => escaped(char))],
    nested: (all) => [403, { error: { message: all, code: all, type: all } }],
    listed: (all) => [401, { errors: [{ code: all, title: all, detail: all }] }],
    problem: (all) => [400, { type: all, title: all, detail: all, status: 400 }],
    okta: (all) => [401, { errorCode: 'invalid_client', errorSummary: all, errorId: all }],
    challenge: (all) => [
      401,
      '',
      { 'WWW-Authenticate': `Basic error="${encodeURI(all)}", error_description="${encodeURI(all)}"` },
    ],
    coding: (all) => [401, 'x', { 'Content-Encoding': encodeURI(all) }],
    missing: (all) => [404, all],
  }
  const breaks = {
    silence: () => {},
    reset: (socket) => socket.resetAndDestroy(),
    garbage: (socket, all) => socket.end(`${all}\r\n\r\n${all}`),
    'bad-header': (socket, all) => socket.end(`HTTP/1.1 200 OK\r\n${all}\r\n\r\n`),
    short: (socket, all) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n${all}`),
    endless: (socket, all) =>
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n${all.padEnd(2_000_000, all)}`),
  }

  const serve = async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const way = new URL(request.url, 'http://x').pathname.slice(1)
    const last = seen.get(request.url)
    if (last === undefined && way !== 'wrong-secret') {
      const granted = grant()
      seen.set(request.url, granted.access_token)
      response.end(JSON.stringify(granted))
      return
    }
    if (way === 'grant') return response.end(JSON.stringify(grant()))
    const all = everything(request, body, last)
    if (breaks[way]) return breaks[way](request.socket, all)
    const [status, answer, headers] = (answers[way] ?? answers.client)(all)
    response.writeHead(status, headers)
    response.end(typeof answer === 'string' || Buffer.isBuffer(answer) ? answer : JSON.stringify(answer))
  }

  const plain = http.createServer(serve)
  const certificate = await issue(await authority(), 'localhost')
  const untrusted = https.createServer(certificate, serve)
  const proxy = http.createServer((request, response) => {
    const all = everything(request, '')
    response.writeHead(400, { 'Proxy-Authenticate': encodeURI(all) })
    response.end(JSON.stringify({ error: 'invalid_request', error_description: all }))
  })
  proxy.on('connect', (request, socket) => {
    const all = everything(request, '')
    socket.end(`HTTP/1.1 407 ${encodeURI(all)}\r\nX-All: ${encodeURI(all)}\r\n\r\n${all}`)
  })
  const servers = [plain, untrusted, proxy]
  for (const server of servers) {
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
    })
    server.on('tlsClientError', () => {})
  }
  const [port, tlsPort, proxyPort] = await Promise.all(servers.map(listening))
  return {
    tokens,
    ways: [...Object.keys(answers), ...Object.keys(breaks), 'wrong-secret'],
    port,
    tlsPort,
    proxyPort,
    cert: certificate.cert,
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

module.exports = { startHostileServers }
