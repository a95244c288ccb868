'use strict'

const { execFileSync } = require('node:child_process')
const { createClock } = require('../lib/testing')
const { callApi, requestToken, tokenOf } = require('./support/token-client')
const { closeAll, server: fakeServer } = require('./support/world')

afterEach(closeAll)

const regenerate = (server, token, id = 'app') =>
  callApi(server, `/oauth/clients/${id}/secret`, token, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
  })

/** Whether a secret gets a token now. */
const works = async (server, secret) => (await requestToken(server, secret)).status === 200

test('a valid token is let in, another is not, and the log says which', async () => {
  const server = await fakeServer()
  const token = await tokenOf(server)
  expect((await callApi(server, '/users/me', token)).status).toBe(200)
  expect(await callApi(server, '/users/me', 'garbage')).toMatchObject({
    status: 401,
    body: {
      code: 'bad.credentials',
      message: 'Invalid login credentials.',
      status: 401,
      details: [],
      errors: [],
    },
  })
  expect(await callApi(server, '/users/me')).toMatchObject({
    status: 401,
    body: {
      code: 'authentication.required',
      message: 'No authentication bearer token specified in authorization header.',
    },
  })
  expect(server.resourceRequests).toMatchObject([
    { method: 'GET', path: '/api/v2/users/me', token, clientId: 'app', status: 200 },
    { token: 'garbage', clientId: undefined, status: 401 },
    { token: undefined, status: 401 },
  ])
})

test('a token ends at its millisecond', async () => {
  const clock = createClock()
  const server = await fakeServer({ clock, lifetimeMs: 300_000 })
  const token = await tokenOf(server)
  await clock.advance(299_999)
  expect((await callApi(server, '/x', token)).status).toBe(200)
  await clock.advance(1)
  expect((await callApi(server, '/x', token)).status).toBe(401)
})

test('revoke ends one token, or all', async () => {
  const server = await fakeServer()
  const [first, second, third] = [await tokenOf(server), await tokenOf(server), await tokenOf(server)]
  const statuses = async () => {
    const answers = await Promise.all([first, second, third].map((token) => callApi(server, '/x', token)))
    return answers.map(({ status }) => status)
  }
  server.revoke(first)
  expect(await statuses()).toEqual([401, 200, 200])
  expect(
    (
      await callApi(server, '/tokens/me', second, {
        method: 'DELETE',
        headers: { Authorization: `Bearer ${second}` },
      })
    ).status,
  ).toBe(200)
  expect(await statuses()).toEqual([401, 401, 200])
  server.revoke()
  expect(await statuses()).toEqual([401, 401, 401])
})

test('a token that nobody uses ends after idleTimeoutMs', async () => {
  const clock = createClock()
  const server = await fakeServer({ clock, idleTimeoutMs: 1000 })
  const token = await tokenOf(server)
  await clock.advance(999)
  expect((await callApi(server, '/tokens/me', token)).status).toBe(200)
  await clock.advance(999)
  expect((await callApi(server, '/tokens/me?preserveIdleTTL=true', token)).status).toBe(200)
  await clock.advance(1)
  expect((await callApi(server, '/x', token)).status).toBe(401)
})

test('beyond maxLiveTokens the client’s oldest token ends', async () => {
  const server = await fakeServer({ maxLiveTokens: 2, clients: { app: 'secret', other: 'secret' } })
  const tokens = []
  for (const id of ['other', 'app', 'app', 'app']) tokens.push(await tokenOf(server, 'secret', { id }))
  const answers = await Promise.all(tokens.map((token) => callApi(server, '/x', token)))
  expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 200])
})

test('tokens/me tells about the caller, and HEAD only whether the token is valid', async () => {
  const server = await fakeServer()
  const token = await tokenOf(server)
  expect((await callApi(server, '/tokens/me', token)).body.OAuthClient.id).toBe('app')
  const head = await callApi(server, '/tokens/me', token, {
    method: 'HEAD',
    headers: { Authorization: `Bearer ${token}` },
  })
  expect([head.status, head.text]).toEqual([200, ''])
})

test('resourceStatus is forced on every request', async () => {
  const server = await fakeServer({ resourceStatus: 403 })
  const token = await tokenOf(server)
  expect(await callApi(server, '/x', token)).toMatchObject({ status: 403, body: { code: 'not.authorized' } })
  server.set({ resourceStatus: 401 })
  expect(await callApi(server, '/x', token)).toMatchObject({ status: 401, body: { code: 'bad.credentials' } })
  server.set({ resourceStatus: 429 })
  const limited = await callApi(server, '/x', token)
  expect(limited).toMatchObject({ status: 429, body: { code: 'too.many.requests.retry.after' } })
  expect(limited.headers.get('retry-after')).toBe('42')
  server.set({ resourceStatus: 500 })
  expect((await callApi(server, '/x', token)).body.status).toBe(500)
  server.set({ resourceStatus: null })
  expect((await callApi(server, '/x', token)).status).toBe(200)
})

test('a regenerated secret comes with the client, once, and the old one ends at once', async () => {
  const clock = createClock({ now: Date.UTC(2026, 10, 23) })
  const server = await fakeServer({ clock })
  const token = await tokenOf(server)
  await clock.advance(60_000)
  const { status, body } = await regenerate(server, token)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    id: 'app',
    accessTokenValiditySeconds: 86_400,
    secret: expect.stringMatching(/^[\w-]{43}$/),
    dateCreated: '2026-11-23T00:00:00.000Z',
    dateModified: '2026-11-23T00:01:00.000Z',
    authorizedGrantType: 'CLIENT-CREDENTIALS',
    state: 'active',
    selfUri: '/api/v2/oauth/clients/app',
  })
  expect(await works(server, 'secret')).toBe(false)
  expect(await works(server, body.secret)).toBe(true)
  expect(server.requests.at(-1).secretId).toBe('app/2')
  expect((await callApi(server, '/oauth/clients/app', token)).body).not.toHaveProperty('secret')
  expect((await callApi(server, '/x', token)).status).toBe(200)
  expect((await regenerate(server, token, 'nobody')).body.code).toBe('not.found')
  expect((await regenerate(server, 'garbage')).status).toBe(401)
  expect((await callApi(server, '/oauth/clients/app/secret', token)).status).toBe(405)
})

test('oldSecretGraceMs and newSecretPropagationMs pass before the change is complete', async () => {
  const clock = createClock()
  const server = await fakeServer({ clock, oldSecretGraceMs: 5000, newSecretPropagationMs: 10_000 })
  const next = server.regenerateSecret('app')
  const both = async () => [await works(server, 'secret'), await works(server, next)]
  expect(await both()).toEqual([true, false])
  await clock.advance(4999)
  expect(await both()).toEqual([true, false])
  await clock.advance(1)
  expect(await both()).toEqual([false, false])
  await clock.advance(5000)
  expect(await both()).toEqual([false, true])
})

test('a new secret that is tried too early is refused for negativeCacheMs, whatever has spread', async () => {
  const clock = createClock()
  const server = await fakeServer({ clock, newSecretPropagationMs: 1000, negativeCacheMs: 60_000 })
  const next = server.regenerateSecret('app')
  await clock.advance(999)
  expect(await works(server, next)).toBe(false)
  await clock.advance(59_999)
  expect(await works(server, next)).toBe(false)
  await clock.advance(1)
  expect(await works(server, next)).toBe(true)
  const patient = server.regenerateSecret('app')
  await clock.advance(1000)
  expect(await works(server, patient)).toBe(true)
})

test('tokensSurviveRotation: false ends the client’s tokens with the secret', async () => {
  const server = await fakeServer({
    tokensSurviveRotation: false,
    clients: { app: 'secret', other: 'secret' },
  })
  const [own, foreign] = [await tokenOf(server), await tokenOf(server, 'secret', { id: 'other' })]
  server.regenerateSecret('app')
  expect((await callApi(server, '/x', own)).status).toBe(401)
  expect((await callApi(server, '/x', foreign)).status).toBe(200)
})

test('dropResetResponse changes the secret and cuts the connection', async () => {
  const server = await fakeServer({ dropResetResponse: true })
  const token = await tokenOf(server)
  await expect(regenerate(server, token)).rejects.toThrow('fetch failed')
  expect(await works(server, 'secret')).toBe(false)
  expect(server.resourceRequests).toMatchObject([{ clientId: 'app', status: 'cut' }])
})

test('inactive clients keep their tokens, disabled ones do not', async () => {
  const server = await fakeServer()
  const token = await tokenOf(server)
  server.set({ clients: { app: { secrets: 'secret', state: 'inactive' } } })
  expect(await works(server, 'secret')).toBe(false)
  expect((await callApi(server, '/x', token)).status).toBe(200)
  server.set({ clients: { app: { secrets: 'secret', state: 'disabled' } } })
  expect(await works(server, 'secret')).toBe(false)
  expect((await callApi(server, '/x', token)).status).toBe(401)
})

test('setSecrets says exactly which are accepted; those that stay keep their ids', async () => {
  const server = await fakeServer()
  server.setSecrets('app', ['other', 'secret'])
  expect([await works(server, 'secret'), await works(server, 'other')]).toEqual([true, true])
  expect(server.requests.map(({ secretId }) => secretId)).toEqual(['app/1', 'app/2'])
  server.setSecrets('app', [])
  expect(await works(server, 'secret')).toBe(false)
  for (const call of [() => server.setSecrets('ap', []), () => server.regenerateSecret('ap')]) {
    expect(call).toThrow(new TypeError("There is no client 'ap'; the clients are app."))
  }
  expect(() => server.setSecrets('app', 5)).toThrow('takes a secret or an array of them, got 5.')
})

test('nothing of it loads the native part', () => {
  const script = `
    const { createClock, fakeAuthorizationServer, fakePagerDuty, fakeTokens } = require('./lib/testing')
    const clock = createClock()
    fakeTokens({ clock }).getToken()
    fakeAuthorizationServer({ clock }).then(async (server) => {
      await fetch(server.url + '/api/v2/x')
      await server.close()
      await (await fakePagerDuty({ clock })).close()
      console.log(Object.keys(require.cache).filter((file) => /native|\\.node$/.test(file)).join())
    })`
  expect(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', cwd: `${__dirname}/..` })).toBe(
    '\n',
  )
})
