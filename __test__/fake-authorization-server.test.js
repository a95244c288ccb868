'use strict'

const { createClock, fakeAuthorizationServer } = require('../lib/testing')
const { basic, callApi, requestToken, tokenOf } = require('./support/token-client')
const { closeAll, server: fakeServer } = require('./support/world')

afterEach(closeAll)

const refused = (error, description) => ({
  status: 400,
  body: { error, description, error_description: description },
})

test('a token request is answered as Genesys Cloud answers it', async () => {
  const server = await fakeServer()
  const { status, headers, body } = await requestToken(server)
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/json')
  expect(body).toEqual({
    access_token: expect.stringMatching(/^[\w-]{86}$/),
    token_type: 'bearer',
    expires_in: 86_399,
  })
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(server.tokenUrl).toBe(`${server.url}/oauth/token`)
})

test('what is refused is refused with status 400 and Genesys Cloud’s words', async () => {
  const clients = {
    app: 'secret',
    web: { secrets: 'secret', grantType: 'CODE' },
    off: { secrets: ['secret'], state: 'inactive' },
  }
  const server = await fakeServer({ clients })
  expect(await requestToken(server, 'wrong')).toMatchObject(
    refused('invalid_client', 'authentication failed'),
  )
  expect(await requestToken(server, 'secret', { id: 'toString' })).toMatchObject(
    refused('invalid_client', 'client not found'),
  )
  expect(await requestToken(server, 'secret', { id: 'web' })).toMatchObject(
    refused('unauthorized_client', 'client is not authorized to use the client_credential grant type'),
  )
  expect(await requestToken(server, 'secret', { id: 'off' })).toMatchObject(
    refused('invalid_client', 'client is inactive'),
  )
  expect(await requestToken(server, 'secret', { headers: {} })).toMatchObject(
    refused('invalid_client', 'client not found'),
  )
  expect(await requestToken(server, 'secret', { body: '{"grant_type":"client_credentials"}' })).toMatchObject(
    refused('invalid_request', 'grant_type is missing'),
  )
  const body = new URLSearchParams({ grant_type: 'password' })
  expect((await requestToken(server, 'secret', { body })).body.error).toBe('unsupported_grant_type')
  expect((await requestToken(server, 'secret', { method: 'PUT' })).status).toBe(405)
  expect((await fetch(`${server.url}/elsewhere`)).status).toBe(404)
})

test('the log says who asked when, with which secret, and how it ended', async () => {
  const clock = createClock()
  const server = await fakeServer({ clock, clients: { app: ['old', 'new'] } })
  await requestToken(server, 'new')
  await clock.advance(5000)
  await requestToken(server, 'wrong')
  expect(server.requests).toMatchObject([
    {
      at: clock.now() - 5000,
      method: 'POST',
      path: '/oauth/token',
      grantType: 'client_credentials',
      body: 'grant_type=client_credentials',
      clientId: 'app',
      presented: 'new',
      secretId: 'app/2',
      status: 200,
    },
    { at: clock.now(), clientId: 'app', presented: 'wrong', secretId: undefined, status: 400 },
  ])
  expect(server.requests[0].headers.authorization).toBe(basic('app', 'new').Authorization)
})

test.each([
  ['basic-raw', { headers: basic('app', 'a%2Bb+c') }, { headers: basic('app', 'a%252Bb%2Bc') }],
  ['basic', { headers: basic('app', 'a%252Bb%2Bc') }, { headers: basic('app', 'a%2Bb+c') }],
  [
    'body',
    { headers: {}, body: 'grant_type=client_credentials&client_id=app&client_secret=a%252Bb%2Bc' },
    { headers: basic('app', 'a%2Bb+c') },
  ],
])('auth: %s takes that alone, and any takes it too', async (auth, right, wrong) => {
  const server = await fakeServer({ auth, clients: { app: 'a%2Bb+c' } })
  expect((await requestToken(server, undefined, right)).status).toBe(200)
  expect((await requestToken(server, undefined, wrong)).body.error).toBe('invalid_client')
  server.set({ auth: 'any' })
  expect((await requestToken(server, undefined, right)).status).toBe(200)
})

describe('a wrong secret', () => {
  const body = (secret) => `grant_type=client_credentials&client_id=app&client_secret=${secret}`

  test.each([['wrong'], [undefined]])('(%p) is refused with the status that was set', async (secret) => {
    const server = await fakeServer({ auth: 'any', wrongSecretStatus: 401 })
    const asked = secret === undefined ? { id: 'nobody' } : {}
    const { status, headers, body: said } = await requestToken(server, secret ?? 'secret', asked)
    expect(status).toBe(401)
    expect(said.error).toBe('invalid_client')
    expect(headers.get('www-authenticate')).toBe('Basic realm="oauth"')

    const posted = await requestToken(server, undefined, { headers: {}, body: body('wrong') })
    expect(posted).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(posted.headers.has('www-authenticate')).toBe(false)

    server.set({ wrongSecretStatus: 403 })
    const bare = await fetch(server.tokenUrl, { method: 'POST', body: new URLSearchParams(body('wrong')) })
    expect(bare.status).toBe(403)
    expect(bare.headers.has('www-authenticate')).toBe(false)
    expect(await bare.text()).toBe('')
    server.set({ wrongSecretStatus: 400 })
    expect((await requestToken(server, 'wrong')).status).toBe(400)
  })

  test('is refused so of an inactive client, and of one with another grant type as before', async () => {
    const clients = {
      off: { secrets: 'secret', state: 'inactive' },
      web: { secrets: 'secret', grantType: 'CODE' },
    }
    const server = await fakeServer({ clients, wrongSecretStatus: 401 })
    expect((await requestToken(server, 'secret', { id: 'off' })).status).toBe(401)
    expect((await requestToken(server, 'secret', { id: 'web' })).body.error).toBe('unauthorized_client')
  })
})

describe('a request that is no request', () => {
  const grant = 'grant_type=client_credentials'

  test.each([
    ['grant_type twice', `${grant}&${grant}`, {}],
    ['scope twice', `${grant}&scope=a&scope=b`, {}],
    ['credentials in header and body', `${grant}&client_id=app&client_secret=secret`, {}],
    ['grant_type in the address, too', grant, { path: `?${grant}` }],
  ])('(%s) is refused, whatever its credentials', async (_, body, { path = '' }) => {
    const server = await fakeServer({ auth: 'any' })
    const asked = { ...server, tokenUrl: `${server.tokenUrl}${path}` }
    const { status, body: said } = await requestToken(asked, 'secret', { body })
    expect(status).toBe(400)
    expect(said.error).toBe('invalid_request')
  })

  test.each([
    ['several resources', `${grant}&resource=urn:a&resource=urn:b`],
    ['a client id in the body', `${grant}&client_id=app`],
  ])('(%s) is another thing', async (_, body) => {
    const server = await fakeServer({ auth: 'any' })
    expect((await requestToken(server, 'secret', { body })).status).toBe(200)
  })
})

test('no answer of the token endpoint is to be kept', async () => {
  const server = await fakeServer()
  for (const secret of ['secret', 'wrong']) {
    const { headers } = await requestToken(server, secret)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('pragma')).toBe('no-cache')
  }
})

test('a scope is repeated, and one that is not allowed is refused', async () => {
  const server = await fakeServer()
  const ask = async (scope) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...scope })
    return (await requestToken(server, 'secret', { body })).body
  }
  expect(await ask({})).not.toHaveProperty('scope')
  expect((await ask({ scope: 'read write' })).scope).toBe('read write')
  server.set({ scopes: ['read'] })
  expect((await ask({ scope: 'read' })).scope).toBe('read')
  expect(await ask({ scope: 'read write' })).toMatchObject({ error: 'invalid_scope' })
  expect(await ask({ scope: 'READ' })).toMatchObject({ error: 'invalid_scope' })
  expect(await ask({})).toHaveProperty('access_token')
  expect(server.requests.map(({ scope }) => scope)).toEqual([
    undefined,
    'read write',
    'read',
    'read write',
    'READ',
    undefined,
  ])
  server.set({ scopes: null })
  expect(await ask({ scope: 'write' })).toHaveProperty('access_token')
})

test('expiresIn, tokenType and lifetimeMs shape the answer', async () => {
  const server = await fakeServer({ lifetimeMs: 300_000, expiresIn: 'string', tokenType: 'Bearer' })
  expect((await requestToken(server)).body).toMatchObject({ token_type: 'Bearer', expires_in: '299' })
  server.set({ expiresIn: 'absent' })
  expect((await requestToken(server)).body).not.toHaveProperty('expires_in')
  server.set({ expiresIn: 'number', lifetimeMs: 500 })
  expect((await requestToken(server)).body.expires_in).toBe(0)
})

test('an outage cuts connections, answers with a status, or shows a page of HTML', async () => {
  const server = await fakeServer({ outage: true })
  await expect(requestToken(server)).rejects.toThrow('fetch failed')
  expect(server.requests).toMatchObject([{ status: 'cut' }])
  server.set({ outage: 503 })
  expect((await requestToken(server)).status).toBe(503)
  server.set({ outage: 'html' })
  const page = await requestToken(server)
  expect([page.status, page.headers.get('content-type')]).toEqual([502, 'text/html'])
  expect(page.text).toContain('<html>')
  server.set({ outage: false })
  expect((await requestToken(server)).status).toBe(200)
})

test('the API works on while the token endpoint is out', async () => {
  const server = await fakeServer()
  const token = await tokenOf(server)
  server.set({ outage: true })
  expect((await callApi(server, '/users/me', token)).status).toBe(200)
})

test('rateLimit refuses what goes beyond the burst, until its time is over', async () => {
  const clock = createClock()
  const server = await fakeServer({ clock, rateLimit: { burst: 2, perMs: 1000 } })
  const statuses = async (count) => {
    const got = []
    for (let i = 0; i < count; i++) got.push((await requestToken(server)).status)
    return got
  }
  expect(await statuses(2)).toEqual([200, 200])
  const { status, body } = await requestToken(server)
  expect(status).toBe(400)
  expect(body.error).toBe('invalid_request')
  expect(body.error_description).toMatch(/^rate limit exceeded; /)
  await clock.advance(999)
  expect(await statuses(1)).toEqual([400])
  await clock.advance(1)
  expect(await statuses(3)).toEqual([200, 200, 400])
  server.set({ rateLimit: null })
  expect(await statuses(3)).toEqual([200, 200, 200])
})

test('clockSkewMs moves the Date header, which is in the clock’s time', async () => {
  const clock = createClock({ now: Date.UTC(2026, 10, 23, 19, 28) })
  const server = await fakeServer({ clock, clockSkewMs: -120_000 })
  expect((await requestToken(server)).headers.get('date')).toBe('Mon, 23 Nov 2026 19:26:00 GMT')
  server.set({ clockSkewMs: 1000 })
  expect((await callApi(server, '/x')).headers.get('date')).toBe('Mon, 23 Nov 2026 19:28:01 GMT')
})

test('latencyMs passes in real time, or on the clock', async () => {
  const real = await fakeServer({ latencyMs: 30 })
  const before = performance.now()
  await requestToken(real)
  expect(performance.now() - before).toBeGreaterThan(25)

  const clock = createClock()
  const server = await fakeServer({ clock, latencyMs: 86_400_000 })
  const answered = []
  const request = requestToken(server).then(({ status }) => answered.push(status))
  while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(86_399_999)
  expect(answered).toEqual([])
  expect(server.requests[0].status).toBe('pending')
  await clock.advance(1)
  await request
  expect(answered).toEqual([200])
})

test('a caller that goes away is logged, and gets no token', async () => {
  const server = await fakeServer({ latencyMs: 60_000 })
  const controller = new AbortController()
  const request = requestToken(server, 'secret', { signal: controller.signal })
  while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  controller.abort()
  await expect(request).rejects.toThrow('aborted')
  while (server.requests[0].status === 'pending') await new Promise((resolve) => setImmediate(resolve))
  expect(server.requests[0].status).toBe('abandoned')
})

test('respond gives answers of the test’s own, in order, each to one token request', async () => {
  const server = await fakeServer()
  server.respond(
    { status: 429, headers: { 'Retry-After': '30' }, body: { error: 'slow_down' } },
    { body: 'not JSON' },
    { body: Buffer.from('{"of":"bytes"}') },
    ({ presented }) => ({ status: 418, body: { presented } }),
    async () => undefined,
    { destroy: true },
  )
  const limited = await requestToken(server)
  expect([limited.status, limited.headers.get('retry-after'), limited.body.error]).toEqual([
    429,
    '30',
    'slow_down',
  ])
  expect(await requestToken(server).catch((error) => error.message)).toMatch(/JSON/)
  expect((await requestToken(server)).body).toEqual({ of: 'bytes' })
  expect(await requestToken(server, 'mine')).toMatchObject({ status: 418, body: { presented: 'mine' } })
  expect((await requestToken(server)).status).toBe(200)
  await expect(requestToken(server)).rejects.toThrow('fetch failed')
  expect((await requestToken(server)).status).toBe(200)
  expect(server.requests.map(({ status }) => status)).toEqual([429, 200, 200, 418, 200, 'cut', 200])
})

test('an answer of the test’s own takes as long as it says, and comes before an outage', async () => {
  const clock = createClock()
  const server = await fakeServer({ clock, outage: true, latencyMs: 5000 })
  server.respond({ status: 204, delayMs: 0 })
  expect((await requestToken(server)).status).toBe(204)
})

test('a wrong function for respond is told in the answer, not by a crash', async () => {
  const server = await fakeServer()
  server.respond(() => ({ statsu: 200 }))
  expect(await requestToken(server)).toMatchObject({
    status: 500,
    body: { message: "respond(answer) has no option 'statsu'. Did you mean 'status'?" },
  })
  server.respond(() => {
    throw new Error('mine')
  })
  expect(await requestToken(server)).toMatchObject({ status: 500, body: { message: 'mine' } })
  server.respond({ headers: { 'X-Bad': 'a\nb' } })
  expect((await requestToken(server)).status).toBe(500)
  expect(server.requests.slice(0, 2).map(({ status }) => status)).toEqual([500, 500])
})

test.each([
  [{ latency: 1 }, "has no option 'latency'. Did you mean 'latencyMs'?"],
  [{ latencyMs: -1 }, 'latencyMs takes a whole number of milliseconds from 0, got -1.'],
  [{ maxLiveTokens: 0 }, 'maxLiveTokens takes a whole number from 1, or Infinity, got 0.'],
  [
    { idleTimeoutMs: '1' },
    'idleTimeoutMs takes a whole number of milliseconds from 1, or Infinity, got a string of 1 character.',
  ],
  [
    { rateLimit: { burst: 1 } },
    'rateLimit takes { burst, perMs }, whole numbers from 1, or null, got an object.',
  ],
  [{ expiresIn: 'null' }, "expiresIn takes 'number', 'string', 'absent', got a string of 4 characters."],
  [{ auth: 'digest' }, "auth takes 'basic-raw', 'basic', 'body', 'any', got a string of 6 characters."],
  [{ outage: 200 }, "outage takes true, false, 'html', or a status from 400 to 599, got 200."],
  [{ resourceStatus: 200 }, 'resourceStatus takes a status from 400 to 599, or null, got 200.'],
  [{ wrongSecretStatus: 404 }, 'wrongSecretStatus takes 400, 401 or 403, got 404.'],
  [{ wrongSecretStatus: '401' }, 'wrongSecretStatus takes 400, 401 or 403, got a string of 3 characters.'],
  [
    { scopes: 'read' },
    'scopes takes an array of scopes without blanks, or null, got a string of 4 characters.',
  ],
  [{ scopes: ['read write'] }, 'scopes takes an array of scopes without blanks, or null, got an array.'],
  [{ clients: 'app' }, 'clients takes an object of secrets by client id, got a string of 3 characters.'],
  [{ clients: { app: 1 } }, "clients['app'] takes an object { secrets, state, grantType }, got 1."],
  [{ clients: { app: { secret: 's' } } }, "clients['app'] has no option 'secret'. Did you mean 'secrets'?"],
  [{ clients: { app: { state: 'on' } } }, "clients['app'].state takes 'active', 'inactive', 'disabled', got"],
  [{ clients: { app: [1] } }, "clients['app'].secrets takes a secret or an array of them, got an array."],
  [
    { tokensSurviveRotation: 'no' },
    'tokensSurviveRotation takes true or false, got a string of 2 characters.',
  ],
])('%j is refused, at the start and later', async (knobs, message) => {
  await expect(fakeAuthorizationServer(knobs)).rejects.toThrow(TypeError)
  await expect(fakeAuthorizationServer(knobs)).rejects.toThrow(message)
  const server = await fakeServer()
  expect(() => server.set({ tokenType: 'changed', ...knobs })).toThrow(message)
  expect((await requestToken(server)).body.token_type).toBe('bearer')
})

test('a clock is for life', async () => {
  await expect(fakeAuthorizationServer({ clock: Date })).rejects.toThrow(
    'clock takes what createClock() returns',
  )
  const server = await fakeServer()
  expect(() => server.set({ clock: createClock() })).toThrow("has no option 'clock'")
})

test('close ends connections and requests under way, and may be called again', async () => {
  const server = await fakeAuthorizationServer({ latencyMs: 60_000 })
  const request = requestToken(server)
  while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(server.connections).toBe(1)
  const refusal = expect(request).rejects.toThrow('fetch failed')
  // Node.js before 20.5 has no Symbol.asyncDispose.
  await Promise.all([server.close(), server[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]()])
  await refusal
  expect(server.connections).toBe(0)
})
