'use strict'

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { fromEnv, fromEnvFile, fromFile } = require('..')
const { createClock } = require('../lib/testing')
const { clockedSigner, signatures, signer, tag, thrown } = require('./support/signers')
const { atEnd, closeAll, rejection } = require('./support/world')

afterEach(closeAll)

const BODY = '{"event":{"id":"01TEST"}}'
const HOUR = 3_600_000

function folder() {
  const made = mkdtempSync(path.join(tmpdir(), 'oauth-rotor-keys-'))
  atEnd(() => rmSync(made, { recursive: true }))
  return (name) => path.join(made, name)
}

/** The events of a signer, as they come. */
function told(signs) {
  const events = []
  for (const name of ['key-added', 'key-retired', 'key-unreadable']) {
    signs.on(name, ({ key }) => events.push(`${name} ${key}`))
  }
  return events
}

/** Resolves with the next event of that name. */
function next(signs, name) {
  return new Promise((resolve) => signs.once(name, resolve))
}

describe('a roll', () => {
  test('adds a key that verifies at once and signs later, and removes the old one', async () => {
    const { clock, signer: signs } = clockedSigner({ keys: 'old' })
    const start = clock.now()
    const times = { signsFrom: start + HOUR }
    const rolled = signer({
      clock,
      keys: [
        { key: 'new', label: 'new', ...times },
        { key: 'old', label: 'old' },
      ],
    })
    const receiver = signer({
      clock,
      keys: [
        { key: 'new', label: 'new' },
        { key: 'old', label: 'old' },
      ],
    })
    expect(signatures(rolled.sign(BODY))).toEqual([tag('old', BODY)])
    expect(rolled.verify(BODY, signs.sign(BODY)).key).toBe('old')
    expect(rolled.verify(BODY, receiver.sign(BODY)).key).toBe('new')
    expect(rolled.status().keys).toMatchObject([
      { key: 'new', signs: false, verifies: true, signsFrom: new Date(start + HOUR) },
      { key: 'old', signs: true, verifies: true, signsFrom: null },
    ])
    await clock.advance(HOUR - 1)
    expect(signatures(rolled.sign(BODY))).toEqual([tag('old', BODY)])
    await clock.advance(1)
    expect(signatures(rolled.sign(BODY))).toEqual([tag('new', BODY), tag('old', BODY)])
    expect(receiver.verify(BODY, rolled.sign(BODY)).key).toBe('new')
    expect(signs.verify(BODY, rolled.sign(BODY)).key).toBe('keys[0]')
  })

  test('signs with a key until its end, and verifies with it until that of verifying', async () => {
    const clock = createClock()
    const start = clock.now()
    const old = { key: 'old', label: 'old', signsUntil: start + HOUR, verifiesUntil: start + 2 * HOUR }
    const rolled = signer({ clock, keys: [{ key: 'new', label: 'new' }, old] })
    const headers = { 'x-pagerduty-signature': `v1=${tag('old', BODY)}` }
    await clock.advance(HOUR)
    expect(signatures(rolled.sign(BODY))).toEqual([tag('new', BODY)])
    expect(rolled.verify(BODY, headers).key).toBe('old')
    const events = told(rolled)
    await clock.advance(HOUR - 1)
    expect(events).toEqual([])
    await clock.advance(1)
    expect(thrown(() => rolled.verify(BODY, headers)).code).toBe('ERR_SIGNATURE_MISMATCH')
    expect(events).toEqual(['key-retired old'])
  })

  test.each([
    [undefined, 'old'],
    ['previous', 'old'],
    ['current', 'new'],
  ])('with one signature, signWith %p signs with the %s key', (signWith, key) => {
    const signs = signer({ scheme: 'github', keys: ['new', 'old'], signWith })
    expect(signs.sign(BODY)).toEqual({ 'X-Hub-Signature-256': `sha256=${tag(key, BODY)}` })
  })

  test('a time without any key is told', () => {
    const { clock, signer: signs } = clockedSigner({ keys: 'key' })
    const late = signer({ clock, keys: [{ key: 'key', signsFrom: clock.now() + HOUR }] })
    expect(thrown(() => late.sign(BODY))).toMatchObject({ code: 'ERR_NO_KEY', status: 503, retryable: true })
    expect(late.verify(BODY, signs.sign(BODY)).key).toBe('keys[0]')
    expect(late.health()).toMatchObject({ ready: true, signs: false, verifies: true })
  })
})

describe('sources', () => {
  test('before a function has returned there is no key', async () => {
    const signs = signer({ keys: async () => 'key' })
    // Nothing calls it before the event loop turns.
    expect(thrown(() => signs.sign(BODY))).toMatchObject({ code: 'ERR_NO_KEY', status: 503 })
    const headers = { 'x-pagerduty-signature': `v1=${tag('key', BODY)}` }
    expect(thrown(() => signs.verify(BODY, headers))).toMatchObject({ code: 'ERR_NO_KEY', status: 503 })
    await signs.ready()
    expect(signs.verify(BODY, headers).key).toBe('keys[0]')
  })

  test('a file is read before the first webhook, and again when it changes', async () => {
    const at = folder()
    writeFileSync(at('key'), 'first\n')
    const { clock, signer: signs } = clockedSigner({ keys: { key: fromFile(at('key')), label: 'file' } })
    const events = told(signs)
    await signs.ready()
    expect(signatures(signs.sign(BODY))).toEqual([tag('first', BODY)])
    writeFileSync(at('key'), 'second\n')
    await clock.advance(10_000)
    expect(signatures(signs.sign(BODY))).toEqual([tag('second', BODY)])
    expect(events).toEqual(['key-added file', 'key-retired file'])
  })

  test('a file that vanishes leaves its key in use, and is told', async () => {
    const at = folder()
    writeFileSync(at('key'), 'first\n')
    const { clock, signer: signs } = clockedSigner({ keys: fromFile(at('key')) })
    await signs.ready()
    const unreadable = next(signs, 'key-unreadable')
    rmSync(at('key'))
    await clock.advance(10_000)
    const event = await unreadable
    expect(event).toMatchObject({ key: 'keys[0]', seq: 1, at: expect.any(Date), scheme: 'pagerduty' })
    expect(event.message).toContain('keys[0] could not be read: there is no file')
    expect(signatures(signs.sign(BODY))).toEqual([tag('first', BODY)])
    expect(signs.health()).toMatchObject({ ready: true, degraded: true })
    expect(signs.status().problems).toMatchObject([{ key: 'keys[0]', since: expect.any(Date) }])
    writeFileSync(at('key'), 'first\n')
    await clock.advance(10_000)
    expect(signs.health()).toMatchObject({ ready: true, degraded: false, reasons: [] })
  })

  test('a variable is read at once, and again when it changes', async () => {
    process.env.ROTOR_TEST_KEY = 'first'
    atEnd(() => delete process.env.ROTOR_TEST_KEY)
    const { clock, signer: signs } = clockedSigner({ keys: fromEnv('ROTOR_TEST_KEY') })
    expect(signatures(signs.sign(BODY))).toEqual([tag('first', BODY)])
    process.env.ROTOR_TEST_KEY = 'second'
    await clock.advance(10_000)
    expect(signatures(signs.sign(BODY))).toEqual([tag('second', BODY)])
  })

  test('a variable that is not set is told by the constructor', () => {
    const error = thrown(() => signer({ keys: [fromEnv('ROTOR_NOT_SET')] }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'keys[0]' })
    expect(error.message).toContain('ROTOR_NOT_SET')
  })

  test('a variable of a dotenv file, and a function', async () => {
    const at = folder()
    writeFileSync(at('.env'), 'OTHER=x\nKEY=from-dotenv\n')
    const keys = [async () => 'from-function', fromEnvFile(at('.env'), 'KEY')]
    const signs = signer({ keys })
    await signs.ready()
    expect(signatures(signs.sign(BODY))).toEqual([tag('from-function', BODY), tag('from-dotenv', BODY)])
  })

  test('a value that cannot be a key leaves the one before in use, and is told without the value', async () => {
    let value = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
    const { clock, signer: signs } = clockedSigner({ scheme: 'standard-webhooks', keys: () => value })
    await signs.ready()
    const before = signs.sign(BODY, { id: 'm' })
    value = 'whsec_hunter2'
    const unreadable = next(signs, 'key-unreadable')
    await clock.advance(10_000)
    const { message } = await unreadable
    expect(message).toContain('The value of keys[0]')
    expect(message).not.toContain('hunter2')
    expect(signs.sign(BODY, { id: 'm', timestamp: clock.now() - 10_000 })).toEqual(before)
  })

  test('ready() rejects when there is no key, and says why', async () => {
    const { signer: signs } = clockedSigner({ keys: [fromFile(folder()('none'))] })
    const error = await rejection(signs.ready())
    expect(error).toMatchObject({ code: 'ERR_NO_KEY', status: 503, retryable: true })
    expect(error.message).toContain('there is no file')
    expect(signs.health().reasons[0]).toContain('there is no file')
    expect(signs.health().ready).toBe(false)
  })

  test.each([
    ['a number', 7, 'has to yield a key as a text, and yields a number'],
    ['an object', { key: 'hunter2' }, 'has to yield a key as a text, and yields an object'],
    ['a line break', 'hunter2\nx', 'yields a key with control characters, which no key has'],
    ['nothing', undefined, 'yields nothing'],
  ])('a function that yields %s is told what is wrong, and not the value', async (_, value, message) => {
    const signs = signer({ keys: () => value })
    const error = await rejection(signs.ready())
    expect(error.message).toContain(`keys[0] ${message}`)
    expect(error.message).not.toContain('hunter2')
  })

  test('a function that hangs is waited for as long as a signal allows', async () => {
    const { signer: signs } = clockedSigner({ keys: () => new Promise(() => {}) })
    const controller = new AbortController()
    const ready = signs.ready({ signal: controller.signal })
    controller.abort()
    expect((await rejection(ready)).name).toBe('AbortError')
  })

  test('a function that hangs is given up after 5 s', async () => {
    const { clock, signer: signs } = clockedSigner({ keys: [() => new Promise(() => {}), 'literal'] })
    const ready = signs.ready()
    expect(thrown(() => signs.sign(BODY)).code).toBe('ERR_NO_KEY')
    await clock.advance(5000)
    await ready
    expect(signatures(signs.sign(BODY))).toEqual([tag('literal', BODY)])
    expect(signs.health()).toMatchObject({ ready: true, degraded: true })
    expect(signs.health().reasons[0]).toContain(
      'keys[0] has not been read yet: its function has not returned',
    )
  })
})
