'use strict'

const { fork } = require('node:child_process')
const path = require('node:path')

const errors = require('../lib/errors')
const { EVENTS, KEY_EVENTS } = require('../lib/options/arguments')
const { disguisesOf, findings, shownBy } = require('./support/disguises')
const { startHostileServers } = require('./support/hostile-server')
const { atEnd, closeAll } = require('./support/world')

afterEach(closeAll)

const CODES = Object.values(errors).flatMap(({ code }) => code ?? [])

const SECRET = 'Zq7hunter2xK/+ %:&é=~-_.Ω'
const PROXY_PASSWORD = 'Pw9proxy4xQz/+ %:&é=~'

/** The environment of someone who wants to see everything. */
const LOUD = {
  NODE_DEBUG: 'http,https,net,tls,stream,timer,module,fs,events,worker,diagnostics',
  RUST_LOG: 'trace',
  RUST_BACKTRACE: 'full',
  NODE_OPTIONS: '--trace-warnings --trace-uncaught',
}

/** Runs the child; all that it showed is evidence, its terminal included. */
async function run(config) {
  const { HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, ...env } = process.env
  void [HTTPS_PROXY, HTTP_PROXY, ALL_PROXY]
  const child = fork(path.join(__dirname, 'support/secrecy-child.js'), [], {
    env: { ...env, ...LOUD },
    silent: true,
  })
  atEnd(() => child.kill('SIGKILL'))
  const terminal = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => (terminal[name] += text))
  }
  let report
  child.once('message', (message) => (report = message))
  const closed = new Promise((resolve) => child.once('close', resolve))
  child.send(config)
  const code = await closed
  if (code !== 0 || !report) throw new Error(`The child ended with ${code}: ${terminal.stderr.slice(-2000)}`)
  const { evidence, ...rest } = report
  return { evidence: [...evidence, ...Object.entries(terminal)], terminal, ...rest }
}

const hiddenIn = (tokens = []) => {
  const entries = Object.entries
  return Object.fromEntries([
    ...entries(disguisesOf(SECRET, 'app')).map(([name, text]) => [`secret, ${name},`, text]),
    ...entries(disguisesOf(PROXY_PASSWORD, 'me')).map(([name, text]) => [`password, ${name},`, text]),
    // A cut-off token is one, too.
    ...tokens.map((token, index) => [`token ${index}`, token.slice(0, 12)]),
  ])
}

test('no failure shows a secret, a password or a token, wherever one looks', async () => {
  const { tokens, close, ...known } = await startHostileServers()
  atEnd(close)
  const config = { secret: SECRET, proxyPassword: PROXY_PASSWORD, ...known }
  const { evidence, codes, events, unexpected, terminal } = await run(config)

  // Every failure did happen.
  expect(unexpected).toEqual([])
  expect(codes.sort()).toEqual(CODES.filter((code) => code !== 'ERR_NATIVE_UNAVAILABLE').sort())
  expect(events.sort()).toEqual([...EVENTS, ...KEY_EVENTS].sort())
  expect(tokens.length).toBeGreaterThan(known.ways.length)
  expect(evidence.length).toBeGreaterThan(500)
  expect(evidence.filter(([, text]) => text.includes('[redacted]')).length).toBeGreaterThan(20)
  expect(terminal.stderr).not.toBe('')

  expect(findings(evidence, hiddenIn(tokens))).toEqual([])
})

test('the search finds what is planted in the child, on its terminal and in what it shows', async () => {
  const { evidence } = await run({ isControl: true, secret: SECRET, proxyPassword: PROXY_PASSWORD })
  const found = findings(evidence, hiddenIn())
  for (const where of ['cause', 'symbol', 'hidden member', 'toJSON', 'toString', 'stack']) {
    expect(found).toContain(`secret, plain, in ${where}`)
  }
  expect(found).toContain('password, plain, in getter')
  expect(found).toContain('secret, raw basic, in stdout')
  expect(found).toContain('secret, percent, in stderr')
})

test.each(Object.entries(hiddenIn(['tOkEn-0123456789abcdef'])))('the search finds %s', (name, text) => {
  const evidence = [['here', shownBy(Object.assign(new Error(`Failed: ${text}.`), { a: 1 }))]]
  expect(findings(evidence, hiddenIn(['tOkEn-0123456789abcdef']))).toContain(`${name} in here`)
})
