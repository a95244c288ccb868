'use strict'

const { Readable } = require('node:stream')
const { inspect } = require('node:util')
const { TokenManager, genesysCloud } = require('..')
const { attach } = require('../lib/integrations/genesys')
const { fakeTokens } = require('../lib/testing')
const { sdkClient } = require('./support/http-clients')
const { guardedServer, resourceServer } = require('./support/resource-server')
const { closeAll, closing, rejection, server: fakeServer } = require('./support/world')

afterEach(closeAll)

/**
 * The first version with an HTTP client that can be replaced is 212; before, the calls themselves
 * are.
 */
describe.each(['purecloud-platform-client-v2', 'genesys-oldest'])('%s', (name) => {
  const { ApiClient, UsersApi, PureCloudRegionHosts } = require(name)

  const clientOf = (url) => sdkClient(ApiClient, url)
  const tokensOf = ({ requests }) => requests.map(({ token }) => token)
  const json = { headers: { 'Content-Type': 'application/json' }, body: '{"id":"me"}' }

  test('a call of an API has the token, and is made once more after a 401', async () => {
    const refused = new Set(['test-token-1'])
    const server = await resourceServer(({ token }) =>
      refused.has(token) ? { status: 401, body: '{"status":401}' } : json,
    )
    const client = clientOf(server.url)
    attach(client, fakeTokens())
    expect(await new UsersApi(client).getUsersMe({ expand: ['presence'] })).toEqual({ id: 'me' })
    expect(server.requests.map(({ path, token }) => [path, token])).toEqual([
      ['/api/v2/users/me?expand=presence', 'test-token-1'],
      ['/api/v2/users/me?expand=presence', 'test-token-2'],
    ])
  })

  test('a call fails with the body of the answer, as the SDK has it', async () => {
    const server = await resourceServer(() => ({
      status: 403,
      headers: json.headers,
      body: '{"status":403,"code":"missing.permissions"}',
    }))
    const client = clientOf(server.url)
    attach(client, fakeTokens())
    const error = await rejection(new UsersApi(client).getUsersMe())
    expect(error).toEqual({ status: 403, code: 'missing.permissions' })
    client.setReturnExtendedResponses(true)
    expect(await rejection(new UsersApi(client).getUsersMe())).toMatchObject({ status: 403, body: error })
  })

  test('several clients have tokens of their own, also under many calls at once', async () => {
    const server = await resourceServer(() => json)
    const clients = ['one', 'two', 'three'].map((token) => {
      const client = clientOf(server.url)
      attach(client, fakeTokens({ token }))
      return [token, new UsersApi(client)]
    })
    const calls = clients.flatMap(([token, users]) => Array.from({ length: 20 }, () => users.getUser(token)))
    await Promise.all(calls)
    expect(server.requests).toHaveLength(60)
    for (const { path, token } of server.requests) expect(`${path.split('/').at(-1)}-1`).toBe(token)
  })

  test('a token that the client was set to makes way, and is not changed', async () => {
    const server = await resourceServer(() => json)
    const client = clientOf(server.url)
    client.setAccessToken('of the past')
    const detach = attach(client, fakeTokens())
    await new UsersApi(client).getUsersMe()
    detach()
    await new UsersApi(client).getUsersMe()
    expect(tokensOf(server)).toEqual(['test-token-1', 'of the past'])
  })

  test('its own login has its own header, and its errors do not show the secret', async () => {
    const server = await resourceServer(({ path }) =>
      path.endsWith('/oauth/token')
        ? { status: 400, headers: json.headers, body: '{"error":"invalid_client"}' }
        : json,
    )
    const client = clientOf(server.url)
    const { port } = new URL(server.url)
    if (client.setGateway) client.setGateway({ protocol: 'http', host: '127.0.0.1', port: Number(port) })
    // Its login has no gateway; this host does not exist.
    else client.config.environment = 'invalid'
    const tokens = fakeTokens()
    attach(client, tokens)
    const error = await rejection(client.loginClientCredentialsGrant('app', 'the-client-secret'))
    if (client.setGateway) {
      const [request] = server.requests
      expect(request.headers.authorization).toBe(
        `Basic ${Buffer.from('app:the-client-secret').toString('base64')}`,
      )
      expect(error.response).toMatchObject({ status: 400, data: { error: 'invalid_client' } })
    }
    const shown = inspect(error, { depth: 12 }) + JSON.stringify(error.toJSON())
    expect(shown).not.toMatch(/the-client-secret|Basic [A-Za-z0-9+/]{8}/)
    expect(tokens.history).toEqual([])
  })

  test('an error of a call does not show the token', async () => {
    const server = await resourceServer(() => ({ status: 500, body: '{"status":500}' }))
    const client = clientOf(server.url)
    client.setReturnExtendedResponses(true)
    attach(client, fakeTokens())
    const failed = await rejection(new UsersApi(client).getUsersMe())
    const own = { Authorization: 'Bearer test-token-mine' }
    const withOwn = await rejection(client.callApi('/x', 'GET', {}, {}, own, {}, null, [], [], []))
    expect(server.requests[1].token).toBe('test-token-mine')
    await server.close()
    const unreachable = await rejection(new UsersApi(client).getUsersMe())
    client.setReturnExtendedResponses(false)
    const unreachableToo = await rejection(new UsersApi(client).getUsersMe())
    for (const { status } of [failed, withOwn]) expect(status).toBe(500)
    for (const { code } of [unreachable, unreachableToo]) expect(code).toMatch(/^ECONN/)
    for (const error of [failed, withOwn, unreachable, unreachableToo]) {
      expect(inspect(error, { depth: 12 })).not.toMatch(/test-token/)
    }
  })

  test('the token goes where the client goes when its region changes', async () => {
    const [server, other] = [await resourceServer(() => json), await resourceServer(() => json)]
    const client = clientOf(server.url)
    attach(client, fakeTokens())
    client.config.basePath = other.url
    await new UsersApi(client).getUsersMe()
    expect(tokensOf(other)).toEqual(['test-token-1'])
    client.setEnvironment(PureCloudRegionHosts?.eu_west_1 ?? 'mypurecloud.ie')
    expect(client.buildUrl('/', {})).toBe('https://api.mypurecloud.ie/')
  })

  test.each([
    ['nothing', ''],
    ['what is no JSON', '<html>'],
  ])('a 401 with %s is recognized', async (_, body) => {
    const server = await guardedServer(new Set(['test-token-1']), { body })
    const client = clientOf(server.url)
    attach(client, fakeTokens())
    // As the SDK has an empty answer.
    expect(await new UsersApi(client).getUsersMe()).toBeUndefined()
    expect(tokensOf(server)).toEqual(['test-token-1', 'test-token-2'])
  })

  test('a 500 that speaks of a 401 is no refusal', async () => {
    const server = await resourceServer(() => ({
      status: 500,
      headers: json.headers,
      body: '{"status":401}',
    }))
    const client = clientOf(server.url)
    const tokens = fakeTokens()
    attach(client, tokens)
    expect(await rejection(new UsersApi(client).getUsersMe())).toEqual({ status: 401 })
    expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
  })

  test('what another origin answers after a redirect says nothing about the token', async () => {
    const elsewhere = await resourceServer(() => ({ status: 401 }))
    const server = await resourceServer(() => ({ status: 302, headers: { Location: elsewhere.url } }))
    const client = clientOf(server.url)
    const tokens = fakeTokens()
    attach(client, tokens)
    client.setReturnExtendedResponses(true)
    expect(await rejection(new UsersApi(client).getUsersMe())).toMatchObject({ status: 401 })
    expect(tokensOf(elsewhere)).toEqual([undefined])
    expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
  })

  test('the last that was attached counts until it is detached, in whichever order', async () => {
    const server = await resourceServer(() => json)
    const client = clientOf(server.url)
    const { authData } = client
    const before = JSON.stringify(authData)
    const first = attach(client, fakeTokens({ token: 'first' }))
    const second = attach(client, fakeTokens({ token: 'second' }))
    await new UsersApi(client).getUsersMe()
    first()
    second()
    await new UsersApi(client).getUsersMe()
    expect(tokensOf(server).at(-1)).toBeUndefined()
    expect(JSON.stringify(client.authData)).toBe(before)
  })

  test('a manager and the SDK go through a rotation', async () => {
    const server = await fakeServer({ lifetimeMs: 20_000, clients: { app: ['secret', 'next'] } })
    const tokens = closing(
      new TokenManager({
        provider: genesysCloud({ host: server.url }),
        credentials: { clientId: 'app', clientSecret: 'secret' },
      }),
    )
    const client = clientOf(server.url)
    attach(client, tokens)
    await new UsersApi(client).getUsersMe()
    await tokens.rotate({ clientSecret: 'next' })
    await new UsersApi(client).getUsersMe()
    const [first, second] = server.resourceRequests.map(({ token }) => token)
    expect(second).not.toBe(first)
    expect(server.resourceRequests.map(({ status }) => status)).toEqual([200, 200])
  })
})

describe('an SDK with an HTTP client of its own', () => {
  const { ApiClient, UsersApi } = require('purecloud-platform-client-v2')

  test('may be of a class of the user, with private fields', async () => {
    const { AbstractHttpClient } = require('purecloud-platform-client-v2')
    const server = await guardedServer(new Set(['test-token-1']))
    class Client extends AbstractHttpClient {
      #sent = 0
      enableHooks() {}
      toString() {
        return `${this.#sent} were sent`
      }
      async request({ url, method, headers }) {
        this.#sent += 1
        const { ok, status } = await fetch(url, { method, headers })
        if (ok) return { status, headers: {}, data: { sent: this.#sent } }
        // That of the SDK has the request and the headers, which another client may not have.
        throw Object.assign(new Error('refused'), { response: { status, request: {} } })
      }
    }
    const client = sdkClient(ApiClient, server.url)
    client.setHttpClient(new Client())
    attach(client, fakeTokens())
    expect(await new UsersApi(client).getUsersMe()).toEqual({ sent: 2 })
    expect(client.getHttpClient().toString()).toBe('2 were sent')
    expect(client.getHttpClient().constructor).toBe(Client)
    expect(client.getHttpClient().unknown).toBeUndefined()
    expect(server.requests.map(({ token }) => token)).toEqual(['test-token-1', 'test-token-2'])
  })

  test('hands on what that rejects with', async () => {
    const { AbstractHttpClient } = require('purecloud-platform-client-v2')
    class Client extends AbstractHttpClient {
      enableHooks() {}
      request = ({ data }) => Promise.reject(data)
    }
    const client = sdkClient(ApiClient, 'https://api.example.com')
    client.setHttpClient(new Client())
    attach(client, fakeTokens())
    for (const data of [undefined, null, 'text', new Error('of the client')]) {
      const call = client.getHttpClient().request({ url: 'https://api.example.com/', method: 'GET', data })
      expect(await rejection(call)).toBe(data)
    }
  })

  test('keeps another that was set after it when it is detached', () => {
    const client = sdkClient(ApiClient, 'https://api.example.com')
    const detach = attach(client, fakeTokens())
    const other = Object.create(client.getHttpClient())
    client.setHttpClient(other)
    detach()
    expect(client.getHttpClient()).toBe(other)
  })

  test('logs no token', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const client = sdkClient(ApiClient, server.url)
    const logged = []
    client.config.logger.log = (...args) => logged.push(args)
    attach(client, fakeTokens())
    await new UsersApi(client).getUsersMe()
    expect(logged).not.toEqual([])
    expect(inspect(logged, { depth: 12 })).not.toMatch(/test-token/)
  })

  test('keeps what it is set to while tokens are attached', async () => {
    const server = await resourceServer()
    const client = sdkClient(ApiClient, server.url)
    const inner = client.getHttpClient()
    const detach = attach(client, fakeTokens())
    client.getHttpClient().setTimeout(1)
    detach()
    expect(client.getHttpClient()).toBe(inner)
    expect(inner.timeout).toBe(1)
  })

  test('a redirect below the same host takes the token off, whichever axios the SDK has', async () => {
    const server = await resourceServer(({ path, headers }) => {
      if (path === '/there') return {}
      return {
        status: 302,
        headers: { Location: path === '/near' ? `http://sub.${headers.host}/there` : '/near' },
      }
    })
    const { port } = new URL(server.url)
    const client = sdkClient(ApiClient, `http://localhost:${port}`)
    const inner = client.getHttpClient()
    // That of an older axios, which follows to a subdomain as it is.
    inner._axiosInstance = require('axios-oldest').create({
      lookup: (name, options, done) =>
        done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4),
    })
    attach(client, fakeTokens())
    await new UsersApi(client).getUsersMe()
    expect(server.requests.map(({ path, token }) => [path, token])).toEqual([
      ['/api/v2/users/me', 'test-token-1'],
      ['/near', 'test-token-1'],
      ['/there', undefined],
    ])
  })

  test('a body that is a stream is not sent again', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const client = sdkClient(ApiClient, server.url)
    attach(client, fakeTokens())
    const body = Readable.from(['a'])
    const call = client.callApi('/x', 'POST', {}, {}, {}, {}, body, ['PureCloud OAuth'], [], [])
    expect(await rejection(call)).toMatchObject({ code: 'ERR_BODY_CONSUMED' })
  })

  test('keeps the hooks and the settings of that, and gets it back', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const client = sdkClient(ApiClient, server.url)
    const inner = client.getHttpClient()
    client.setPreHook(async (config) => {
      config.headers['x-hook'] = 'ran'
      return config
    })
    const detach = attach(client, fakeTokens())
    client.getHttpClient().setTimeout(60_000)
    await new UsersApi(client).getUsersMe()
    expect(server.requests.map(({ headers }) => headers['x-hook'])).toEqual(['ran', 'ran'])
    expect(client.getHttpClient().timeout).toBe(60_000)
    detach()
    expect(client.getHttpClient()).toBe(inner)
  })
})

describe('an SDK without an HTTP client of its own', () => {
  const { ApiClient } = require('genesys-oldest')
  const call = (client, names = ['PureCloud OAuth'], body = null) =>
    client.callApi('/x', body ? 'POST' : 'GET', {}, {}, {}, {}, body, names, [], [])

  test('sends no token with a call that takes none, and what others it takes', async () => {
    const server = await guardedServer(new Set())
    const client = sdkClient(ApiClient, server.url)
    client.authentications.other = { type: 'apiKey', in: 'header', name: 'x-key', apiKey: 'of mine' }
    const tokens = fakeTokens()
    attach(client, tokens)
    await rejection(call(client, []))
    expect(tokens.history.map(({ method }) => method)).not.toContain('invalidate')
    await call(client, ['PureCloud OAuth', 'other'])
    expect(server.requests.map(({ token, headers }) => [token, headers['x-key']])).toEqual([
      [undefined, undefined],
      ['test-token-1', 'of mine'],
    ])
  })

  test('hands on what a call rejects with, and what a login is given', async () => {
    const client = sdkClient(ApiClient, 'https://api.example.com')
    let reason
    client.callApi = () => Promise.reject(reason)
    client.loginClientCredentialsGrant = async (...values) => values
    attach(client, fakeTokens())
    for (reason of [undefined, null, 'text', new Error('of the client')]) {
      expect(await rejection(call(client))).toBe(reason)
    }
    expect(await client.loginClientCredentialsGrant('app', 'the-client-secret')).toEqual([
      'app',
      'the-client-secret',
    ])
  })

  test.each([
    ['a request', {}],
    ['an answer of Node.js', { request: {} }],
  ])('repeats a call whose error does not have %s', async (_, error) => {
    const client = sdkClient(ApiClient, 'https://api.example.com')
    const outcomes = [Promise.reject({ status: 401, error }), Promise.resolve({ body: 'the answer' })]
    client.callApi = () => outcomes.shift()
    attach(client, fakeTokens())
    expect(await call(client)).toBe('the answer')
  })

  test('does not send a body that is a stream again', async () => {
    const client = sdkClient(ApiClient, 'https://api.example.com')
    // That of the SDK never ends after an error: it cannot log such a body.
    client.callApi = () => Promise.reject({ status: 401, error: {} })
    attach(client, fakeTokens())
    const error = await rejection(call(client, undefined, Readable.from(['a'])))
    expect(error).toMatchObject({ code: 'ERR_BODY_CONSUMED' })
  })

  test('has its methods back when it is detached, but not over those of another', () => {
    const client = sdkClient(ApiClient, 'https://api.example.com')
    const { callApi, loginClientCredentialsGrant } = client
    attach(client, fakeTokens())()
    expect(client.callApi).toBe(callApi)
    expect(client.loginClientCredentialsGrant).toBe(loginClientCredentialsGrant)
    const detach = attach(client, fakeTokens())
    const others = { callApi() {}, loginClientCredentialsGrant() {} }
    Object.assign(client, others)
    detach()
    expect(client).toMatchObject(others)
  })

  test('renews no token of its own after a 401, and repeats the call', async () => {
    const server = await guardedServer(new Set(['test-token-1']))
    const client = sdkClient(ApiClient, server.url)
    client.authData.refreshToken = 'of the past'
    client.refreshCodeAuthorizationGrant = jest.fn(async () => {})
    attach(client, fakeTokens())
    await call(client)
    expect(server.requests.map(({ token }) => token)).toEqual(['test-token-1', 'test-token-2'])
    expect(client.refreshCodeAuthorizationGrant).not.toHaveBeenCalled()
    expect(client.authData.refreshToken).toBe('of the past')
  })
})
