'use strict'

const { readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const rotor = require('..')
const { createClock } = require('../lib/testing')
const { removeDirectories, temporaryDirectory } = require('./support/project')
const { closeAll, closing } = require('./support/world')

const { WebhookSigner } = rotor
const guide = readFileSync(path.join(__dirname, '..', 'docs', 'webhooks.md'), 'utf8')
// Inside of lists they are indented.
const examples = [...guide.matchAll(/^( *)```js\n(.*?)```/gms)].map(([, , code]) => code)

/** The examples for Jest close none of their signers, which lasts longer here than in a user's file. */
const opened = []
class NotedSigner extends WebhookSigner {
  constructor(options) {
    super(options)
    opened.push(this)
  }
}

afterEach(closeAll)
afterAll(() => Promise.all(opened.map((signer) => signer.close())))
afterAll(removeDirectories)

/** The one example with this text, with other texts in the places of some. */
function example(text, replacements = []) {
  const found = examples.filter((code) => code.includes(text))
  expect(found.length).toBe(1)
  return replacements.reduce((code, [from, to]) => code.replaceAll(from, to), found[0])
}

/** Runs code as the body of a function; returns what `ending` is then. */
function run(code, ending, values = {}) {
  return new Function('require', ...Object.keys(values), `${code}\nreturn ${ending}`)(
    require,
    ...Object.values(values),
  )
}

/** The first cells of the rows below a heading, without backticks and quotes. */
function firstCells(heading) {
  const section = guide.split(`## ${heading}\n`)[1].split('\n## ')[0]
  return [...section.matchAll(/^\| `'?([\w-]+)'?`/gm)].map(([, name]) => name)
}

async function listening(app) {
  const server = await new Promise((resolve) => {
    const started = app.listen(0, '127.0.0.1', () => resolve(started))
  })
  closing({ close: () => new Promise((resolve) => server.close(resolve)) })
  return `http://127.0.0.1:${server.address().port}`
}

describe('the examples for Jest', () => {
  const forJest = examples.filter((code) => code.startsWith('// Jest'))

  test('are two', () => expect(forJest.length).toBe(2))
  const load = (name) => (name === 'oauth-rotor' ? { ...rotor, WebhookSigner: NotedSigner } : require(name))
  for (const code of forJest) new Function('require', 'test', 'expect', code)(load, test, expect)
})

test('the sender and the receiver understand each other, and a repeat is handled once', async () => {
  const directory = temporaryDirectory()
  for (const slot of ['a', 'b']) writeFileSync(path.join(directory, `webhook-key-${slot}`), `key ${slot}`)
  const place = [['/run/secrets', directory]]
  const sender = run(example('async function send', place), '{ send, signer }')
  const handled = []
  const receiver = run(example('const seen = memorySeen()', place), '{ app, signer }', {
    handle: (event) => handled.push(event),
  })
  run(example('error.status ?? 500'), 'undefined', { app: receiver.app })
  for (const { signer } of [sender, receiver]) await closing(signer).ready()

  const url = `${await listening(receiver.app)}/webhooks`
  const event = { id: 'event-1', text: 'A refund failed' }
  const answers = [await sender.send(url, event), await sender.send(url, event)]
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(handled).toEqual([event])

  const wrong = closing(new WebhookSigner({ scheme: 'pagerduty', keys: 'another key' }))
  const headers = { 'content-type': 'application/json', ...wrong.sign('{"id":"event-2"}') }
  const refused = await fetch(url, { method: 'POST', headers, body: '{"id":"event-2"}' })
  expect([refused.status, await refused.json()]).toEqual([403, { error: 'ERR_SIGNATURE_MISMATCH' }])
})

test('the scheme of one’s own signs what it says', () => {
  const scheme = run(example('const scheme = {'), 'scheme')
  const signer = closing(new WebhookSigner({ scheme, keys: ['new', 'old'] }))
  const headers = signer.sign('{}', { timestamp: Date.now() })
  expect(headers).toEqual({
    'X-Acme-Signature': expect.stringMatching(/^v1=[\w+/]{43}=,v1=[\w+/]{43}=$/),
    'X-Acme-Time': expect.stringMatching(/^\d{10}$/),
  })
  expect(signer.verify('{}', headers).key).toBe('keys[0]')
})

test.each(['genesys', 'pagerduty'])('by a time, %s changes the key exactly then', async (scheme) => {
  const directory = temporaryDirectory()
  for (const name of ['old', 'new']) writeFileSync(path.join(directory, name), `the ${name} key`)
  const code = example("label: 'new'", [['/run/secrets', directory]])
  const keys = run(code, 'keys', rotor)
  const clock = createClock({ now: new Date('2026-12-01T02:59:00Z') })
  const sender = closing(new WebhookSigner({ scheme, keys, clock }))
  await sender.ready()
  const receiver = closing(
    new WebhookSigner({ scheme, keys: keys.map(({ label }) => ({ label, key: `the ${label} key` })) }),
  )
  const signedWith = () => receiver.verify('{}', sender.sign('{}')).key
  expect(signedWith()).toBe('old')
  await clock.advance(59_999)
  expect(signedWith()).toBe('old')
  await clock.advance(1)
  expect(signedWith()).toBe('new')
})

test('the recipe for Redis returns what handleOnce needs', async () => {
  const stored = new Map()
  const redis = {
    set: async (key, value, px, ttlMs, nx) => {
      expect([px, ttlMs, nx]).toEqual(['PX', 172_800_000, 'NX'])
      if (stored.has(key)) return null
      stored.set(key, value)
      return 'OK'
    },
    del: async (key) => Number(stored.delete(key)),
  }
  const seen = run(example('redis.set('), 'seen', { redis })
  const signer = closing(new WebhookSigner({ scheme: 'pagerduty', keys: 'key' }))
  const body = '{"event":{"id":"event-1"}}'
  const webhook = signer.verify(body, signer.sign(body))
  const failing = signer.handleOnce(webhook, seen, () => Promise.reject(new Error('the disk is full')))
  await expect(failing).rejects.toThrow('the disk is full')
  expect(await signer.handleOnce(webhook, seen, () => 'kept')).toEqual({ duplicate: false, value: 'kept' })
  expect(await signer.handleOnce(webhook, seen, () => 'kept')).toEqual({ duplicate: true })
})

test('the tables have every scheme and every error', () => {
  const types = readFileSync(path.join(__dirname, '..', 'index.d.ts'), 'utf8')
  const [, schemes] = /^ {2}scheme: (.*) \| HmacScheme$/m.exec(types)
  expect(firstCells('Schemes')).toEqual(schemes.split(' | ').map((scheme) => scheme.slice(1, -1)))
  const codes = Object.values(rotor).flatMap(({ code }) => code ?? [])
  const ours = codes.filter((code) => /^ERR_(SIGNATURE_|NO_KEY)/.test(code))
  expect(firstCells('Errors, and what to answer').sort()).toEqual(ours.sort())
})

test.each([
  [{}, 'ERR_SIGNATURE_MISSING', 400],
  [{ 'x-pagerduty-signature': 'v2=00' }, 'ERR_SIGNATURE_MALFORMED', 400],
  [{ 'x-pagerduty-signature': `v1=${'0'.repeat(64)}` }, 'ERR_SIGNATURE_MISMATCH', 403],
])('%j is refused with %s', (headers, code, status) => {
  const signer = closing(new WebhookSigner({ scheme: 'pagerduty', keys: 'key' }))
  expect(() => signer.verify('{}', headers)).toThrow(expect.objectContaining({ code, status }))
  const row = guide.split('\n').find((line) => line.startsWith(`| \`${code}\``))
  expect(row).toContain(String(status))
})

test('an emptied source keeps its last key, as the guide says, and another value replaces it', async () => {
  const file = path.join(temporaryDirectory(), 'key')
  writeFileSync(file, 'the key')
  const signer = closing(
    new WebhookSigner({ scheme: 'pagerduty', keys: rotor.fromFile(file), sourcePollMs: 10 }),
  )
  await signer.ready()
  const signature = signer.sign('{}')
  const told = (name) => new Promise((resolve) => signer.once(name, resolve))
  const unreadable = told('key-unreadable')
  writeFileSync(file, '')
  await unreadable
  expect(signer.sign('{}')).toEqual(signature)
  const retired = told('key-retired')
  writeFileSync(file, 'another key')
  await retired
  expect(() => signer.verify('{}', signature)).toThrow(
    expect.objectContaining({ code: 'ERR_SIGNATURE_MISMATCH' }),
  )
})
