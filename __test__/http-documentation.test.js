'use strict'

const { readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { fakeTokens } = require('../lib/testing')
const { removeDirectories, temporaryDirectory } = require('./support/project')
const { guardedServer } = require('./support/resource-server')
const { closeAll, closing, server } = require('./support/world')

afterEach(closeAll)
afterAll(removeDirectories)

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

test('what a service becomes goes through a 401, and changes its secret in both ways', async () => {
  const provider = await server({ clients: { app: 'old', other: 'next' }, lifetimeMs: 3_600_000 })
  const file = path.join(temporaryDirectory(), '.env')
  writeFileSync(file, 'GC_CLIENT_ID=app\nGC_CLIENT_SECRET=old\n')
  const code = example('migrating.md', 'After', [
    ["region: 'us_east_1'", `host: '${provider.url}'`],
    ['https://api.mypurecloud.com', provider.url],
    ["'.env'", JSON.stringify(file)],
    ['timeZone', 'overlapMs: 1000, timeZone'],
  ])
  const { api, tokens, changeSecret, changeClient } = await run(
    `${code}\nreturn { api, tokens, changeSecret, changeClient }`,
    {},
  )
  closing(tokens)
  expect((await api.get('/api/v2/x')).data).toEqual({ ok: true })
  const { phase } = await changeSecret(async () => provider.regenerateSecret('app'))
  expect(phase).toBe('retired')
  expect((await api.get('/api/v2/x')).data).toEqual({ ok: true })
  expect(await changeClient('other', 'next')).toMatch(/\[America\/Sao_Paulo\]$/)
  expect((await api.get('/api/v2/x')).data).toEqual({ ok: true })
  expect(readFileSync(file, 'utf8')).toBe('GC_CLIENT_ID=other\nGC_CLIENT_SECRET=next\n')
  expect(provider.resourceRequests.map(({ clientId, status }) => [clientId, status])).toEqual([
    ['app', 200],
    ['app', 200],
    ['other', 200],
  ])
})
