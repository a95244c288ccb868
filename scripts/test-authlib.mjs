// npm run test:authlib: the addon against a real server that is not ours, Authlib (Python). It is
// not part of `npm test`: it needs Python 3 and downloads Authlib and Flask into a temporary
// directory.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import rotor from '../index.js'
import { root, step } from './support/steps.mjs'

const { TokenManager, oauth2 } = rotor

const PYTHON = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3')
const LIFETIME_SECONDS = 8
const SECRETS = {
  plain: 'plain-secret',
  odd: '/+%:é=&~*"\\',
  wide: '秘密🔑%2F',
  spaced: 'with a space /+%:é',
}
const METHODS = { basic: 'client_secret_basic', body: 'client_secret_post' }

const directory = mkdtempSync(join(tmpdir(), 'oauth-rotor-authlib-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

const python = join(directory, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
await step('Making a virtual environment', PYTHON, ['-m', 'venv', directory])
const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
await step('Installing Authlib and Flask into it', python, [...pip, 'Authlib>=1.3,<2', 'Flask>=3,<4'])

const clients = Object.keys(METHODS).flatMap((clientAuth) =>
  Object.entries(SECRETS).map(([name, secret]) => ({
    id: `${clientAuth}-${name}`,
    secret,
    clientAuth,
    method: METHODS[clientAuth],
  })),
)
const server = spawn(python, [join(root, 'scripts', 'support', 'authlib_server.py')], {
  stdio: ['pipe', 'pipe', 'inherit'],
  env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
})
process.on('exit', () => server.kill())
server.stdin.write(`${JSON.stringify({ clients, lifetimeSeconds: LIFETIME_SECONDS })}\n`)
const [url] = await Promise.race([
  once(createInterface({ input: server.stdout }), 'line'),
  once(server, 'exit').then(() => Promise.reject(new Error('the server ended before it listened'))),
])

let failed = 0
for (const { id, secret, clientAuth } of clients) {
  await check(`${clientAuth}: the secret ${JSON.stringify(secret)} is accepted`, async () => {
    await withManager({ clientAuth, credentials: { clientId: id, clientSecret: secret } }, async (tokens) => {
      assert.equal(await clientOf(await tokens.getToken()), id)
      const { issuedAt, expiresAt } = tokens.status().token
      assert.equal(expiresAt - issuedAt, LIFETIME_SECONDS * 1000)
    })
  })
}
for (const clientAuth of Object.keys(METHODS)) {
  const id = `${clientAuth}-odd`
  const wrong = { clientId: id, clientSecret: `${SECRETS.odd}!` }
  const right = { clientId: id, clientSecret: SECRETS.odd }

  await check(`${clientAuth}: a wrong secret is a rejected credential`, () =>
    withManager({ clientAuth, credentials: wrong }, async (tokens) => {
      const error = await tokens.ready().catch((caught) => caught)
      assert.equal(error.code, 'ERR_TOKEN_UNAVAILABLE')
      assert.equal(error.cause.code, 'ERR_CREDENTIAL_REJECTED')
      assert.equal(error.cause.oauthError, 'invalid_client')
      console.log(`    ${error.cause.status} ${error.cause.oauthError}`)
    }),
  )
  await check(`${clientAuth}: the next credential is tried when the first is wrong`, () =>
    withManager({ clientAuth, credentials: [wrong, right] }, async (tokens) => {
      assert.equal(await clientOf(await tokens.getToken()), id)
      const states = tokens.status().credentials.map(({ state }) => state)
      // In the order in which they are tried: the one that was accepted is active.
      assert.deepEqual(states, ['accepted', 'rejected'])
    }),
  )
}
await check(`a token of ${LIFETIME_SECONDS} s is replaced before it ends`, () => {
  const credentials = { clientId: 'basic-plain', clientSecret: SECRETS.plain }
  return withManager({ clientAuth: 'basic', credentials }, async (tokens) => {
    const first = await tokens.getToken()
    const { reason } = await new Promise((resolve) => tokens.once('token-retired', resolve))
    assert.equal(reason, 'replaced')
    assert.notEqual(tokens.peek(), first)
    assert.equal(await clientOf(tokens.peek()), 'basic-plain')
  })
})
await check('a scope that the client may not have is a mistake of the request', () => {
  const credentials = { clientId: 'basic-plain', clientSecret: SECRETS.plain }
  return withManager({ clientAuth: 'basic', credentials, scope: 'write' }, async (tokens) => {
    const error = await tokens.ready().catch((caught) => caught)
    assert.equal(error.cause?.code, 'ERR_MISCONFIGURED')
    assert.equal(error.cause.oauthError, 'invalid_scope')
  })
})
console.log(failed === 0 ? 'all passed' : `${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

async function check(what, run) {
  try {
    await run()
    console.log(`  passed: ${what}`)
  } catch (error) {
    failed += 1
    console.log(`  FAILED: ${what}`)
    console.log(error)
  }
}

async function withManager({ clientAuth, credentials, scope }, use) {
  const provider = oauth2({ tokenUrl: `${url}/oauth/token`, clientAuth, scope })
  const tokens = new TokenManager({ provider, credentials })
  try {
    await use(tokens)
  } finally {
    await tokens.close()
  }
}

/** Returns the client that the server gave a token to. */
async function clientOf(token) {
  const response = await fetch(`${url}/issued/${token}`)
  return (await response.json()).client_id
}
