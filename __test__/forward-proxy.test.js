'use strict'

const { createClock } = require('../lib/testing')
const { authority, issue } = require('./support/certificates')
const { forwardProxy } = require('./support/forward-proxy')
const { wire } = require('./support/wire')
const { closeAll, event, manager } = require('./support/world')

// Only the proxy finds this name, so a token shows that it was used.
const NAME = 'token.example.test'
const VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy', 'request_method'].flatMap((name) => [
  name,
  name.toUpperCase(),
])

let ca, certificate
const inherited = { ...process.env }

beforeAll(async () => {
  ca = await authority()
  certificate = await issue(ca, NAME, { dns: [NAME] })
})

beforeEach(() => {
  for (const name of VARIABLES) delete process.env[name]
})

afterEach(closeAll)

afterAll(() => Object.assign(process.env, inherited))

/** An endpoint, under a name that only the proxy finds. */
async function named({ secure }) {
  const endpoint = await wire(secure ? { secure: certificate } : {})
  const tokenUrl = endpoint.tokenUrl.replace('127.0.0.1', NAME)
  return { ...endpoint, tokenUrl, target: `${NAME}:${endpoint.port}` }
}

/** A manager that trusts the tests' authority, and sends its secret in the clear if it must. */
function through(proxy, endpoint) {
  const options = { tls: { ca: ca.cert }, allowInsecureHttp: true }
  return manager(endpoint, { provider: proxy === undefined ? options : { proxy, ...options } })
}

const SCHEMES = [
  ['https', { secure: true }, 'HTTPS_PROXY', ({ target }) => ({ method: 'CONNECT', target })],
  ['http', { secure: false }, 'HTTP_PROXY', ({ tokenUrl }) => ({ method: 'POST', target: tokenUrl })],
]

describe.each(SCHEMES)('an endpoint with %s', (_, scheme, variable, asked) => {
  test('is reached through the proxy of the option', async () => {
    const [proxy, endpoint] = [await forwardProxy(), await named(scheme)]
    await through(proxy.url, endpoint).ready()
    expect(proxy.log).toMatchObject([{ ...asked(endpoint), authorization: undefined }])
    expect(endpoint.requests).toMatchObject([
      { method: 'POST', path: '/oauth/token', body: 'grant_type=client_credentials' },
    ])
  })

  test('is reached through the proxy of the environment', async () => {
    const [proxy, endpoint] = [await forwardProxy(), await named(scheme)]
    process.env[variable] = `127.0.0.1:${proxy.port}`
    process.env.NO_PROXY = 'other.example.test'
    await through(undefined, endpoint).ready()
    expect(proxy.log).toMatchObject([asked(endpoint)])
  })

  test.each([
    [NAME],
    ['.example.test'],
    ['example.test'],
    ['*'],
    ['*.example.test'],
    ['EXAMPLE.test.'],
    ['other.example other.test  example.test'],
    [' * , other.example'],
    ['.'.concat(NAME, '.')],
  ])('that NO_PROXY=%s exempts is not', async (exceptions) => {
    const [proxy, endpoint] = [await forwardProxy(), await named(scheme)]
    process.env[variable] = proxy.url
    process.env.NO_PROXY = exceptions
    await event(through(undefined, endpoint), 'refresh-failed')
    expect(proxy.log).toEqual([])
    expect(endpoint.requests).toEqual([])
  })

  test('that NO_PROXY exempts at its own port only is not, and at others is', async () => {
    const [proxy, endpoint] = [await forwardProxy(), await named(scheme)]
    process.env[variable] = proxy.url
    process.env.NO_PROXY = `${NAME}:${endpoint.port + 1}, example.test:1`
    await through(undefined, endpoint).ready()
    expect(proxy.log).toMatchObject([asked(endpoint)])
    process.env.NO_PROXY = `example.test:${endpoint.port}`
    await event(through(undefined, endpoint), 'refresh-failed')
    expect(proxy.log).toHaveLength(1)
  })

  test('the proxy gets its credentials, and the endpoint does not', async () => {
    const [proxy, endpoint] = [await forwardProxy(), await named(scheme)]
    await through(`http://user:p%40ss%3A%2F@127.0.0.1:${proxy.port}`, endpoint).ready()
    const basic = `Basic ${Buffer.from('user:p@ss:/').toString('base64')}`
    expect(proxy.log.map(({ authorization }) => authorization)).toEqual([basic])
    if (scheme.secure) {
      expect(proxy.log[0].headers).not.toHaveProperty('authorization')
      expect(endpoint.requests[0].headers).not.toHaveProperty('proxy-authorization')
    }
  })

  test('the proxy gets its credentials whatever they are made of', async () => {
    const [proxy, endpoint] = [await forwardProxy(), await named(scheme)]
    const [user, password] = ['us|er^`{}', "100%25[\\]!$&'()*+,=~ é"]
    const encoded = [user, password].map((part) => encodeURIComponent(part).replaceAll('%21', '!'))
    await through(`http://${encoded.join(':')}@127.0.0.1:${proxy.port}`, endpoint).ready()
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    expect(proxy.log).toMatchObject([{ ...asked(endpoint), authorization: basic }])
  })

  test('behind a proxy that refuses is an endpoint that failed, without the proxy’s password', async () => {
    const [proxy, endpoint] = [await forwardProxy({ refuse: 407 }), await named(scheme)]
    const tokens = through(`http://user:hunter2-secret@127.0.0.1:${proxy.port}`, endpoint)
    const { error } = await event(tokens, 'refresh-failed')
    expect(error.code).toBe('ERR_ENDPOINT')
    expect(error.message).toMatch(/proxy,? (which|that) asks for a user name and password/)
    expect(error.message).toMatch(scheme.secure ? /cannot be reached through the proxy/ : /answer 407/)
    expect(error.message).not.toContain('hunter2')
    expect(endpoint.requests).toEqual([])
  })

  test('behind a proxy that is down is an endpoint that failed', async () => {
    const [proxy, endpoint] = [await forwardProxy(), await named(scheme)]
    await proxy.close()
    const { error } = await event(through(proxy.url, endpoint), 'refresh-failed')
    expect(error.code).toBe('ERR_ENDPOINT')
    expect(error.message).toContain('cannot be reached through the proxy, which refuses connections')
  })

  test('behind a proxy that nobody knows is an endpoint that failed', async () => {
    // No label is longer than 63 characters, so that no resolver needs to be asked.
    const nowhere = `http://${'a'.repeat(64)}.test:3128`
    const { error } = await event(through(nowhere, await named(scheme)), 'refresh-failed')
    expect(error.code).toBe('ERR_ENDPOINT')
    expect(error.message).toContain('through the proxy, which has a host name that cannot be resolved')
  })

  test('behind a proxy that is not trusted is an endpoint that failed', async () => {
    const other = await issue(await authority('another'), NAME)
    const [proxy, endpoint] = [await forwardProxy({ secure: other }), await named(scheme)]
    const { error } = await event(through(proxy.url, endpoint), 'refresh-failed')
    expect(error.code).toBe('ERR_ENDPOINT')
    expect(error.message).toMatch(/through the proxy, which could not be trusted .*UnknownIssuer.*tls\.ca/)
    expect(proxy.log).toEqual([])
  })

  test('is reached through a proxy that itself speaks TLS', async () => {
    const [proxy, endpoint] = [await forwardProxy({ secure: certificate }), await named(scheme)]
    await through(proxy.url, endpoint).ready()
    expect(proxy.log).toMatchObject([asked(endpoint)])
  })
})

test.each([
  [407, /through the proxy, which asks for a user name and password, or for others than it got \(407\)/],
  [403, /through the proxy, which does not allow it, or cannot reach it \(it answered neither 200 nor 407/],
  [502, /through the proxy, which does not allow it, or cannot reach it \(it answered neither 200 nor 407/],
  [302, /through the proxy, which does not allow it, or cannot reach it \(it answered neither 200 nor 407/],
])('a proxy that answers %i to CONNECT is told for what it says', async (refuse, message) => {
  const [proxy, endpoint] = [await forwardProxy({ refuse }), await named({ secure: true })]
  const { error } = await event(through(proxy.url, endpoint), 'refresh-failed')
  expect(error).toMatchObject({ code: 'ERR_ENDPOINT', retryable: true })
  expect(error.message).toMatch(message)
  expect(endpoint.requests).toEqual([])
})

test('a proxy that hangs up is not taken for the endpoint', async () => {
  const hanging = await wire({ answer: (socket) => socket.end() })
  const { error } = await event(through(hanging.url, await named({ secure: true })), 'refresh-failed')
  expect(error.message).toMatch(/through the proxy, which broke the connection off/)
})

test('an endpoint that is not trusted is not taken for the proxy', async () => {
  const other = await issue(await authority('another'), NAME, { dns: [NAME] })
  const [proxy, { tokenUrl }] = [await forwardProxy(), await wire({ secure: other })]
  const named = { tokenUrl: tokenUrl.replace('127.0.0.1', NAME) }
  const { error } = await event(through(proxy.url, named), 'refresh-failed')
  expect(error.message).toMatch(/could not be trusted .*UnknownIssuer/)
  expect(error.message).not.toContain('proxy')
})

test('a proxy that never answers is told of when the time to connect is over', async () => {
  const mute = await wire({ answer: () => {} })
  // The attempt's own time stands still.
  const options = { clock: createClock(), requestTimeoutMs: 100, provider: { proxy: mute.url } }
  const { error } = await event(manager(await named({ secure: true }), options), 'refresh-failed')
  expect(error).toMatchObject({ code: 'ERR_ENDPOINT', retryable: true })
  expect(error.message).toContain('could not be reached through the proxy in time')
})

test('a proxy is told what asks it', async () => {
  const [proxy, endpoint] = [await forwardProxy(), await named({ secure: true })]
  const provider = { proxy: proxy.url, tls: { ca: ca.cert }, userAgent: 'acme/1.2' }
  await manager(endpoint, { provider }).ready()
  expect(proxy.log[0].headers['user-agent']).toBe('acme/1.2')
})

describe('the request that verifies a new secret', () => {
  const API = 'api.example.test'

  /** A proxy, and behind it an endpoint and an API, each under its name. */
  async function behindProxy() {
    const [proxy, endpoint] = [await forwardProxy(), await named({ secure: true })]
    const resource = await wire({ secure: await issue(ca, API, { dns: [API] }) })
    process.env.HTTPS_PROXY = proxy.url
    return { proxy, endpoint, resource, url: `https://${API}:${resource.port}/me` }
  }
  const targets = ({ log }) => log.map(({ target }) => target)

  test('passes the proxy, too', async () => {
    const { proxy, endpoint, resource, url } = await behindProxy()
    const tokens = through(undefined, endpoint)
    await tokens.ready()
    await tokens.rotate({ clientSecret: 'new', verify: { url } })
    const api = `${API}:${resource.port}`
    expect(targets(proxy)).toEqual([endpoint.target, endpoint.target, api])
    expect(resource.requests).toMatchObject([{ method: 'GET', path: '/me' }])
  })

  test('does not where NO_PROXY exempts its host, though the endpoint is behind the proxy', async () => {
    const { proxy, endpoint, resource, url } = await behindProxy()
    process.env.NO_PROXY = API
    const tokens = through(undefined, endpoint)
    await tokens.ready()
    const told = event(tokens, 'rotation', ({ change }) => change === 'awaiting-proof')
    const rotation = tokens.rotate({ clientSecret: 'new', verify: { url } })
    rotation.catch(() => {})
    const { error } = await Promise.race([told, rotation])
    expect(new Set(targets(proxy))).toEqual(new Set([endpoint.target]))
    expect(error.message).toContain('verify.url')
    expect(resource.requests).toEqual([])
  })
})

// Addresses that are kept for documentation (RFC 5737, RFC 3849): nobody answers, and a secret that
// goes to the proxy all the same is a secret lost.
describe.each([
  ['192.0.2.7', ['*', '192.0.2.7', '192.0.2.0/24', '192.0.2.7:80', 'a.example *', '192.0.2.7, b.example']],
  ['[2001:db8::7]', ['*', '2001:db8::7', '[2001:db8::7]', '[2001:db8:0::7]:80', '2001:db8::/32']],
])('the secret for an endpoint at %s', (host, lists) => {
  const options = { requestTimeoutMs: 500 }
  const endpoint = { tokenUrl: `http://${host}/oauth/token` }
  const provider = { allowInsecureHttp: true }

  test.each(lists)('does not go to the proxy with NO_PROXY=%s', async (list) => {
    const proxy = await forwardProxy({ refuse: 502 })
    process.env.HTTP_PROXY = proxy.url
    process.env.NO_PROXY = list
    await event(manager(endpoint, { provider, ...options }), 'refresh-failed')
    expect(proxy.log).toEqual([])
  })

  test.each([[''], ['192.0.2.8'], ['192.0.2.7:443'], ['[2001:db8::7]:443'], ['b.example']])(
    'goes there with NO_PROXY=%s',
    async (list) => {
      const proxy = await forwardProxy({ refuse: 502 })
      process.env.HTTP_PROXY = proxy.url
      process.env.NO_PROXY = list
      await event(manager(endpoint, { provider, ...options }), 'refresh-failed')
      expect(proxy.log).toMatchObject([{ method: 'POST', target: endpoint.tokenUrl }])
    },
  )
})

// The native part has no data about Unicode: hosts come to it as JavaScript's URL has converted
// them.
test.each([['BÜCHER.example.test'], ['xn--bcher-kva.example.test']])(
  'an endpoint and a verification at %s are asked for by their name in ASCII',
  async (host) => {
    const ascii = 'xn--bcher-kva.example.test'
    const [proxy, certificate] = [await forwardProxy(), await issue(ca, ascii, { dns: [ascii] })]
    const [endpoint, resource] = [await wire({ secure: certificate }), await wire({ secure: certificate })]
    const tokenUrl = endpoint.tokenUrl.replace('127.0.0.1', host)
    const tokens = through(proxy.url, { ...endpoint, tokenUrl })
    await tokens.ready()
    await tokens.rotate({ clientSecret: 'new', verify: { url: `https://${host}:${resource.port}/me` } })
    expect(new Set(proxy.log.map(({ target }) => target))).toEqual(
      new Set([`${ascii}:${endpoint.port}`, `${ascii}:${resource.port}`]),
    )
  },
)

test('an endpoint of this machine is never reached through a proxy', async () => {
  const [proxy, endpoint] = [await forwardProxy(), await wire()]
  process.env.ALL_PROXY = proxy.url
  const localhost = { tokenUrl: endpoint.tokenUrl.replace('127.0.0.1', 'localhost') }
  await through(undefined, endpoint).ready()
  await through(proxy.url, endpoint).ready()
  await through(undefined, localhost).ready()
  await through(proxy.url, localhost).ready()
  expect(proxy.log).toEqual([])
  expect(endpoint.requests).toHaveLength(4)
})
