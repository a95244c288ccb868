'use strict'

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { fakeTokens } = require('../testing')
const { guardedServer } = require('./support/resource-server')
const { closeAll, closing, server } = require('./support/world')

afterEach(closeAll)

const read = (page) => readFileSync(path.join(__dirname, '..', 'docs', page), 'utf8')
const load = (name) => {
  if (name === 'undici') return require('undici-7')
  return name.startsWith('oauth-rotor') ? require(name.replace('oauth-rotor', '..')) : require(name)
}

/** The code below a heading, with other texts in the places of some. */
function example(page, heading, replacements) {
  const section = read(page).split(`## ${heading}\n`)[1]
  let [, code] = /```js\n(.*?)```/s.exec(section)
  for (const [from, to] of replacements) {
    expect(code).toContain(from)
    code = code.replaceAll(from, to)
  }
  return code
}

/** Runs code as the body of an async function. */
function run(code, values) {
  const AsyncFunction = (async () => {}).constructor
  return new AsyncFunction('require', ...Object.keys(values), code)(load, ...Object.values(values))
}

test.each([
  ['fetch', (url) => [['https://api.mypurecloud.com', url]], 'return response.status', 200],
  ['undici', (url) => [['https://api.mypurecloud.com', url]], 'return body.text()', ''],
  ['axios', (url) => [['https://api.mypurecloud.com', url]], 'return data', ''],
  [
    "Genesys Cloud's SDK",
    (url) => [["client.setEnvironment('sae1.pure.cloud')", `client.config.basePath = '${url}'`]],
    'client.config.live_reload_config = false; return me',
    undefined,
  ],
])(
  'the example for %s sends the token, and repeats after a 401',
  async (heading, replacements, ending, result) => {
    const api = await guardedServer(new Set(['test-token-1']))
    const code = example('http.md', heading, replacements(api.url))
    expect(await run(`${code}\n${ending}`, { tokens: fakeTokens() })).toEqual(result)
    expect(api.requests.map(({ path: at, token }) => [at, token])).toEqual([
      ['/api/v2/users/me', 'test-token-1'],
      ['/api/v2/users/me', 'test-token-2'],
    ])
  },
)

test('what a service becomes goes through a 401 and a change of the secret', async () => {
  const provider = await server({ clients: { app: ['old', 'new'] }, lifetimeMs: 300_000 })
  const code = example('migrating.md', 'After', [
    ["region: 'us_east_1'", `host: '${provider.url}'`],
    ['https://api.mypurecloud.com', provider.url],
    ["fromEnv('GC_CLIENT_ID', 'GC_CLIENT_SECRET')", "{ clientId: 'app', clientSecret: 'old' }"],
    ['timeZone', 'overlapMs: 1000, timeZone'],
  ])
  const { api, tokens, changeSecret } = await run(`${code}\nreturn { api, tokens, changeSecret }`, {
    axios: require('axios'),
  })
  closing(tokens)
  expect((await api.get('/api/v2/x')).data).toEqual({ ok: true })
  expect(await changeSecret('new')).toMatch(/\[America\/Sao_Paulo\]$/)
  expect((await api.get('/api/v2/x')).data).toEqual({ ok: true })
  expect(provider.requests.map(({ presented }) => presented)).toEqual(['old', 'new'])
})
