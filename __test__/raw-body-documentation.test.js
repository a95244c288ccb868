'use strict'

const { createHmac, timingSafeEqual } = require('node:crypto')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const path = require('node:path')
const { memorySeen, handleOnce } = require('../lib/webhook/repeats')
const { RotorError } = require('../lib/errors')
const { closeAll, closing, rejection } = require('./support/world')

afterEach(closeAll)

const read = (page) => readFileSync(path.join(__dirname, '..', 'docs', page), 'utf8')

/** The blocks of code below a heading. */
function blocks(page, heading) {
  const [section] = read(page)
    .split(new RegExp(`^##? ${heading}\n`, 'm'))[1]
    .split(/\n## /)
  return [...section.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code)
}

/** Runs code as the body of an async function and returns the value of an expression at its end. */
function run(code, expression, values) {
  const AsyncFunction = (async () => {}).constructor
  const load = (name) => require(name.replace('oauth-rotor/raw-body', '../lib/integrations/raw-body'))
  const body = `${code.replaceAll('export ', '')}\nreturn ${expression}`
  return new AsyncFunction('require', ...Object.keys(values), body)(load, ...Object.values(values))
}

const signatureOf = (body) => createHmac('sha256', 'key').update(body).digest()

/** Verifies as a WebhookSigner does. */
const signer = {
  verify(body, headers) {
    const value = headers.get?.('x-signature') ?? headers['x-signature']
    if (Buffer.isBuffer(body) && timingSafeEqual(signatureOf(body), Buffer.from(value, 'hex'))) return
    throw Object.assign(new RotorError('ERR_SIGNATURE_MISMATCH', 'no key matches'), { status: 401 })
  },
}

/** Bytes that parsing and printing would change. */
const BODY = Buffer.from('{ "event": {"id": "01", "text": "\\u00e9 é" } }\n')
const headers = { 'content-type': 'application/json', 'x-signature': signatureOf(BODY).toString('hex') }

async function listening(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing({ close: () => (server.closeAllConnections(), new Promise((done) => server.close(done))) })
  return `http://127.0.0.1:${server.address().port}/webhooks`
}

/** Each example as a function that sends it a request and returns the status and the text. */
const RECEIVERS = {
  Express: async (code) => sendingTo(await listening(await run(code, 'app', { signer }))),
  Fastify: async (code) => {
    const app = closing(await run(code, 'app', { signer }))
    return sendingTo(`${await app.listen({ port: 0, host: '127.0.0.1' })}/webhooks`)
  },
  'node:http': async (code) => {
    const server = await run(code, 'server', { signer })
    return sendingTo(await listening(server.listeners('request')[0]))
  },
  Koa: async (code) => {
    const Koa = require('koa')
    const app = new Koa()
    app.silent = true
    await run(code, 'undefined', { signer, app })
    return sendingTo(await listening(app.callback()))
  },
  'Next.js': async (code) => {
    const POST = await run(code, 'POST', { signer })
    return async (body) => {
      const response = await POST(new globalThis.Request('http://x', { method: 'POST', body, headers }))
      return [response.status, await response.text()]
    }
  },
  'AWS Lambda': async (code) => {
    const handler = await run(code, 'handler', { signer })
    return async (bytes) => {
      const events = [
        { headers, body: bytes.toString(), isBase64Encoded: false },
        { headers, body: bytes.toString('base64'), isBase64Encoded: true },
      ]
      const [one, other] = await Promise.all(events.map(handler))
      expect(other).toEqual(one)
      return [one.statusCode, one.body]
    }
  },
}

function sendingTo(url) {
  return async (body) => {
    const response = await fetch(url, { method: 'POST', body, headers })
    return [response.status, await response.text()]
  }
}

test.each(Object.keys(RECEIVERS))('the example for %s verifies the bytes and parses them', async (name) => {
  const send = await RECEIVERS[name](blocks('raw-body.md', name)[0])
  const [status, answer] = await send(BODY)
  expect([status, JSON.parse(answer)]).toEqual([200, { received: '01' }])
  expect((await send(Buffer.from(JSON.stringify(JSON.parse(BODY)))))[0]).toBe(401)
})

describe('docs/repeats.md', () => {
  test('the example handles a webhook once', async () => {
    const routes = []
    const enqueued = []
    const answers = []
    const example = {
      require: () => ({ memorySeen }),
      app: { post: (...args) => routes.push(args.at(-1)) },
      expressRawBody: () => {},
      signer: { verify: () => ({ id: 'a' }), handleOnce },
      enqueue: (body) => enqueued.push(body),
    }
    const [code] = blocks('repeats.md', 'Repeated webhooks')
    new Function(...Object.keys(example), code)(...Object.values(example))
    for (const body of ['first', 'again']) {
      await routes[0]({ body }, { json: (answer) => answers.push(answer) })
    }
    expect([enqueued, answers]).toEqual([['first'], [{ duplicate: false }, { duplicate: true }]])
  })

  test.each([0, 1])('recipe %i for Redis notes an id once, with its time', async (index) => {
    const commands = []
    const known = new Set()
    /** What both libraries have of Redis: SET with its options in either form, and DEL. */
    const client = {
      connect: async () => client,
      set: async (key, ...args) => {
        commands.push([key, ...args])
        return known.has(key) ? null : known.add(key) && 'OK'
      },
      del: async (key) => Number(known.delete(key)),
    }
    function Redis() {
      return client
    }
    const load = () => Object.assign(Redis, { createClient: () => client })
    const AsyncFunction = (async () => {}).constructor
    const code = `${blocks('repeats.md', 'In Redis')[index]}\nreturn seen`
    const seen = await new AsyncFunction('require', code)(load)
    const once = (handler) => handleOnce({ id: 'a' }, seen, handler, { ttlMs: 1000 })
    await rejection(once(() => Promise.reject(new Error('not handled'))))
    expect(await once(() => 1)).toEqual({ duplicate: false, value: 1 })
    expect(await once(() => 1)).toEqual({ duplicate: true })
    const options = [[{ NX: true, PX: 1000 }], ['PX', 1000, 'NX']][index]
    expect(commands).toEqual(Array(3).fill(['webhooks:seen:a', '1', ...options]))
  })
})
