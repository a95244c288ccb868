'use strict'

// Drives every failure there is, and reports all that anyone could print of it.

const diagnosticsChannel = require('node:diagnostics_channel')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')

const rotor = require('../..')
const { createFetch } = require('../../lib/integrations/fetch')
const { EVENTS, KEY_EVENTS } = require('../../lib/options/arguments')
const native = require('../../lib/native/load')
const { wrongOptions } = require('./wrong-options')
const { base64, shownBy } = require('./disguises')
const { rotations } = require('./secrecy-rotations')
const { signers } = require('./secrecy-signers')

const { TokenManager, oauth2, fromDirectory, fromEnvFile, fromFile } = rotor
const evidence = []
const codes = new Set()
const events = new Set()
const unexpected = []
/** A manager that only its own listeners refer to would be collected, and closed by that. */
const open = new Set()

const show = (where, value) => evidence.push([where, shownBy(value)])

function record(where, error) {
  for (let at = error; at?.code; at = at.cause) codes.add(at.code)
  show(`${where}: error`, error)
}

async function rejects(where, promise) {
  try {
    await promise
    unexpected.push(`${where} resolved`)
  } catch (error) {
    record(where, error)
  }
}

function throws(where, act) {
  try {
    const made = act()
    unexpected.push(`${where} did not throw`)
    return made?.close?.()
  } catch (error) {
    record(where, error)
  }
}

const once = (tokens, name) => new Promise((resolve) => tokens.once(name, resolve))

function showAll(where, tokens) {
  show(`${where}: status`, tokens.status())
  show(`${where}: health`, tokens.health())
  show(`${where}: manager`, tokens)
}

/** One manager from its construction to its end. */
async function drive(where, { provider, credentials, ...options }, act) {
  for (const part of [provider, credentials].flat()) {
    const isOurs = part.preset !== undefined || part.kind !== undefined
    for (const source of isOurs ? [part] : Object.values(part)) {
      if (typeof source === 'object') show(`${where}: provider or source`, source)
    }
  }
  const tokens = new TokenManager({ provider, credentials, acquireTimeoutMs: 1000, ...options })
  open.add(tokens)
  for (const name of EVENTS) {
    tokens.on(name, (payload) => {
      events.add(name)
      show(`${where}: event ${name}`, payload)
    })
  }
  showAll(`${where}, new`, tokens)
  await act(tokens, once(tokens, 'refresh-failed'))
  showAll(where, tokens)
  await tokens.close()
  open.delete(tokens)
  showAll(`${where}, closed`, tokens)
  await rejects(`${where}, closed`, tokens.getToken())
}

async function firstToken(tokens) {
  while (tokens.peek() === undefined) await once(tokens, 'token')
  return tokens.peek()
}

/** The endpoint repeats what it was sent, and the token that it issued before. */
function hostileAnswers({ port, ways, credentials }) {
  const auths = ['basic', 'basic-raw', 'body']
  return ways.flatMap((way) =>
    auths.map((clientAuth) => {
      const provider = oauth2({ tokenUrl: `http://127.0.0.1:${port}/${way}?${clientAuth}`, clientAuth })
      const where = `${way} (${clientAuth})`
      return drive(where, { provider, credentials, requestTimeoutMs: 2000 }, async (tokens, failed) => {
        if (way !== 'wrong-secret') tokens.invalidate(await firstToken(tokens))
        await failed
        await rejects(where, tokens.getToken())
        await rejects(`${where}, readiness`, tokens.ready())
      })
    }),
  )
}

function silentWires({ port, tlsPort, proxyPort, proxyPassword, credentials }) {
  const user = `me:${encodeURIComponent(proxyPassword)}`
  const providers = {
    'not TLS': { tokenUrl: `https://127.0.0.1:${port}/x` },
    'untrusted certificate': { tokenUrl: `https://127.0.0.1:${tlsPort}/x` },
    refused: { tokenUrl: 'http://127.0.0.1:1/x' },
    'no such host': { tokenUrl: 'https://nowhere.invalid/x', proxy: false },
    'proxy refuses tunnel': {
      tokenUrl: 'https://idp.example/x',
      proxy: `http://${user}@127.0.0.1:${proxyPort}`,
    },
    'proxy answers itself': {
      tokenUrl: 'http://idp.example/x',
      allowInsecureHttp: true,
      proxy: `http://${user}@127.0.0.1:${proxyPort}`,
    },
    'proxy refuses connections': { tokenUrl: 'https://idp.example/x', proxy: `http://${user}@127.0.0.1:1` },
    'proxy not trusted': { tokenUrl: 'https://idp.example/x', proxy: `https://${user}@127.0.0.1:${tlsPort}` },
  }
  return Object.entries(providers).map(([where, options]) => {
    const given = { provider: oauth2(options), credentials, requestTimeoutMs: 2000 }
    return drive(where, given, async (tokens, failed) => {
      await failed
      await rejects(where, tokens.ready())
    })
  })
}

function badSources({ secret, port }) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oauth-rotor-'))
  const file = (name, bytes) => {
    fs.writeFileSync(path.join(directory, name), bytes)
    return path.join(directory, name)
  }
  const control = file('control', `${secret}\u0007`)
  file('invalid', Buffer.concat([Buffer.from(secret), Buffer.from([0xff])]))
  file('large', secret.repeat(100_000))
  const loud = Object.assign(new TypeError(secret, { cause: new Error(secret) }), { code: secret, secret })
  const fields = (clientSecret) => ({ clientId: 'app', clientSecret })
  const sources = {
    throws: () => {
      throw loud
    },
    rejects: () => Promise.reject(loud),
    'rejects with text': () => Promise.reject(secret),
    number: fields(() => ({ secret })),
    'control character': fields(async () => `${secret}\u0007`),
    'missing file': fields(fromFile(path.join(directory, 'missing'))),
    'directory for a file': fields(fromFile(directory)),
    'control character in a file': fields(fromFile(control)),
    'invalid text in a file': fields(fromFile(path.join(directory, 'invalid'))),
    'large file': fields(fromFile(path.join(directory, 'large'))),
    'invisible character in a file': fields(fromFile(file('invisible', `${secret}\ufeff`))),
    'blank in an env file': fields(fromEnvFile(file('blank.env', `SECRET='${secret}\u00a0'\n`), 'SECRET')),
    'ambiguous env file': fields(fromEnvFile(file('odd.env', `SECRET: ${secret}\n`), 'SECRET')),
    'env file that is none': fields(fromEnvFile(control, 'SECRET')),
    'directory with half of a pair': fromDirectory(directory, {
      clientId: 'missing',
      clientSecret: 'control',
    }),
    'directory with a wrong pair': fromDirectory(directory, { clientId: 'control', clientSecret: 'invalid' }),
  }
  const provider = oauth2({ tokenUrl: `http://127.0.0.1:${port}/grant` })
  const drives = Object.entries(sources).map(([where, credentials]) =>
    drive(where, { provider, credentials }, async (tokens) => {
      await rejects(where, tokens.ready())
      await rejects(where, tokens.getToken())
    }),
  )
  let isGood = true
  const fickle = async () => {
    if (isGood) return fields(secret)
    throw loud
  }
  const later = drive('throws later', { provider, credentials: fickle }, async (tokens) => {
    await firstToken(tokens)
    isGood = false
    const told = once(tokens, 'source')
    tokens.reload()
    await told
  })
  return [...drives, later.finally(() => fs.rmSync(directory, { recursive: true }))]
}

/** A resource refuses the token of a request that cannot be repeated. */
async function refusedRequests({ port, credentials }) {
  const server = http.createServer((request, response) =>
    request.resume().on('end', () => response.writeHead(401).end()),
  )
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  const provider = oauth2({ tokenUrl: `http://127.0.0.1:${port}/grant` })
  async function* body() {
    yield 'read once'
  }
  await drive('refused request', { provider, credentials }, async (tokens) => {
    await firstToken(tokens)
    const send = createFetch(tokens, { origins: [url] })
    await rejects('refused request', send(url, { method: 'POST', body: body(), duplex: 'half' }))
  })
  server.close()
  server.closeAllConnections()
}

async function wrongCalls({ secret, port, credentials, proxyPassword }) {
  const tokenUrl = `http://127.0.0.1:${port}/grant`
  await drive('calls', { provider: oauth2({ tokenUrl }), credentials }, async (tokens) => {
    const token = await firstToken(tokens)
    for (const odd of [[token], { token }, Symbol(token), Buffer.from(token), new String(token), undefined]) {
      throws('invalidate', () => tokens.invalidate(odd))
    }
    for (const odd of [`${token}\n`, secret, '']) {
      if (tokens.invalidate(odd)) unexpected.push('an odd token was dropped')
    }
    for (const odd of [
      { minValidityMs: secret },
      { minValidityMs: [token] },
      { signal: secret },
      secret,
      [token],
    ]) {
      await rejects('getToken', tokens.getToken(odd))
      await rejects('ready', tokens.ready(odd))
    }
    for (const odd of [[secret], { toString: () => secret }]) throws('on', () => tokens.on(odd, () => {}))
    await rejects('too short', tokens.getToken({ minValidityMs: 1e9 }))
    const ignored = once(tokens, 'invalidate-ignored')
    tokens.invalidate(token)
    tokens.invalidate(await firstToken(tokens))
    await ignored
  })

  const params = (password) => oauth2({ tokenUrl, params: { password } })
  const proxied = (password) =>
    oauth2({
      tokenUrl: 'https://idp.example/x',
      proxy: `http://me:${encodeURIComponent(password)}@127.0.0.1:1`,
    })
  for (const [name, make] of Object.entries({ params, proxied })) {
    const first = new TokenManager({ name, provider: make(secret), credentials })
    throws(
      `conflict of ${name}`,
      () => new TokenManager({ name, provider: make(proxyPassword), credentials }),
    )
    await first.close()
  }
}

async function panics({ port, credentials }) {
  const provider = oauth2({ tokenUrl: `http://127.0.0.1:${port}/grant` })
  await drive('panic', { provider, credentials }, async (tokens) => {
    await firstToken(tokens)
    const told = once(tokens, 'thread-restarted')
    native.injectPanic()
    await told
    await firstToken(tokens)
  })
}

function plant({ secret, proxyPassword }) {
  process.stdout.write(`stdout ${base64(`app:${secret}`)}\n`)
  process.stderr.write(`stderr ${encodeURIComponent(secret)}\n`)
  const error = new Error('outer', {
    cause: new Error('inner', { cause: { deep: { deeper: [[[secret]]] } } }),
  })
  show('cause', error)
  show('symbol', { [Symbol('x')]: secret })
  show(
    'hidden member',
    Object.defineProperty({}, 'x', { value: new Map([['k', secret]]), enumerable: false }),
  )
  show('toJSON', { toJSON: () => secret, a: 1 })
  show('toString', { toString: () => secret })
  show('getter', Object.defineProperty({}, 'x', { get: () => proxyPassword, enumerable: false }))
  show('stack', Object.assign(new Error('x'), { stack: secret }))
}

async function everyFailure(config) {
  for (const name of [...EVENTS, ...KEY_EVENTS]) {
    diagnosticsChannel.subscribe(`oauth-rotor:${name}`, (message) => show(`channel ${name}`, message))
  }
  process.on('warning', (warning) => show('warning', warning))
  for (const [where, make] of wrongOptions(config)) throws(where, () => new TokenManager(make()))
  // Alone: a clock in virtual time does not wait for ever for a server that a busy event loop delays,
  // and a report counts as another one of the same storm for ten seconds only.
  await rotations(config, { drive, rejects, show })
  await wrongCalls(config)
  await Promise.all([
    ...hostileAnswers(config),
    ...silentWires(config),
    ...badSources(config),
    refusedRequests(config),
    signers(config, { rejects, throws, show, events }),
  ])
  await panics(config)
}

// A listener keeps the channel to the parent, and so the process; a manager that waits for an event
// does not.
process.on('message', async ({ isControl, ...config }) => {
  const credentials = { clientId: 'app', clientSecret: config.secret, label: 'current' }
  if (isControl) plant(config)
  else await everyFailure({ ...config, credentials })
  const report = { evidence, codes: [...codes], events: [...events], unexpected }
  process.send(report, () => process.disconnect())
})
