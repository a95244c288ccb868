'use strict'

const { execFile } = require('node:child_process')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const { closeAll, server } = require('./support/world')

const root = path.join(__dirname, '..')

afterEach(closeAll)

test('the example of README.md works as it stands, and repeats a request once after a 401', async () => {
  const provider = await server({ clients: { app: ['secret'] } })
  const [, example] = /```js\n(.*?)```/s.exec(readFileSync(path.join(root, 'README.md'), 'utf8'))
  const code = `${example
    .replace("region: 'sa_east_1'", `host: '${provider.url}'`)
    .replaceAll('https://api.sae1.pure.cloud', provider.url)}
    async function main() {
      const first = await me()
      await api('${provider.url}/api/v2/tokens/me', { method: 'DELETE' })
      console.log(first.ok, (await me()).ok)
    }
    main()`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', code], {
    cwd: root,
    env: { ...process.env, GC_CLIENT_ID: 'app', GC_CLIENT_SECRET: 'secret' },
  })
  expect(stdout).toBe('true true\n')
  expect(provider.resourceRequests.map(({ status }) => status)).toEqual([200, 200, 401, 200])
})

test('so does its example of a rotation', async () => {
  const provider = await server({ clients: { app: ['secret', 'new'] }, lifetimeMs: 300_000 })
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
  const [[, first], [, second]] = readme.matchAll(/```js\n(.*?)```/gs)
  const code = [
    first
      .replace("region: 'sa_east_1'", `host: '${provider.url}'`)
      .replace('timeZone', 'overlapMs: 1000, $&'),
    second,
    "const change = () => changeSecret('new')",
    'tokens.ready().then(change).then(() => console.log(tokens.status().generation, process.env.GC_CLIENT_SECRET))',
  ]
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', code.join('\n')], {
    cwd: root,
    env: { ...process.env, GC_CLIENT_ID: 'app', GC_CLIENT_SECRET: 'secret' },
  })
  const [fallback, revoke, state] = stdout.split('\n')
  expect(fallback).toMatch(/^The old secret is a fallback until \S+\[America\/Sao_Paulo\]\.$/)
  expect(revoke).toMatch(/^It may be revoked from \S+\[America\/Sao_Paulo\] on\.$/)
  expect(state).toBe('2 new')
  expect(provider.requests.map(({ presented }) => presented)).toEqual(['secret', 'new'])
})

test('the example at the head of index.d.ts works as it stands', async () => {
  const provider = await server({ clients: { app: ['secret'] } })
  const types = readFileSync(path.join(root, 'index.d.ts'), 'utf8')
  const [, example] = /@example\n([^]*?) \*\//.exec(types)
  const code = example
    .replace(/^ \* ?/gm, '')
    .replace("'oauth-rotor'", "'./index.js'")
    .replace("region: 'sa_east_1'", `host: '${provider.url}'`)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', `${code}\nconsole.log(typeof token, tokens.status().timeZone)`],
    { cwd: root, env: { ...process.env, GC_CLIENT_ID: 'app', GC_CLIENT_SECRET: 'secret' } },
  )
  expect(stdout).toBe('string America/Sao_Paulo\n')
  expect(provider.requests.map(({ status }) => status)).toEqual([200])
})
