'use strict'

const { inspect } = require('node:util')
const { InvalidOptionError, WebhookSigner, isRotorError } = require('..')
const vectors = require('./data/signature-vectors.json')
const { clockedSigner, received, signatures, signer, tag, thrown } = require('./support/signers')
const { closeAll, rejection } = require('./support/world')

afterEach(closeAll)

const BODY = '{"event":{"id":"01TEST"}}'

describe('published vectors', () => {
  const rows = vectors.map((row, index) => [`${index}: ${row.scheme}, ${row.origin}`, row])

  test.each(rows)('%s', (_, { scheme, keys, id, timestamp, body, expect: value }) => {
    const signs = signer({ scheme, keys })
    const at = timestamp === undefined ? undefined : timestamp * 1000
    const headers = signs.sign(body, { id, timestamp: at })
    expect(Object.values(headers)).toContain(value)
    expect(signs.sign(Buffer.from(body), { id, timestamp: at })).toEqual(headers)
  })
})

describe('what a scheme sends', () => {
  const key = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='

  test.each([
    ['pagerduty', ['X-PagerDuty-Signature', 'X-Webhook-Id']],
    ['standard-webhooks', ['webhook-id', 'webhook-signature', 'webhook-timestamp']],
    ['stripe', ['Stripe-Signature']],
    ['github', ['X-GitHub-Delivery', 'X-Hub-Signature-256']],
    ['slack', ['X-Slack-Request-Timestamp', 'X-Slack-Signature']],
    ['genesys', ['X-Hub-Signature-256']],
  ])('%s: %j, and verifies that', (scheme, names) => {
    const signs = signer({ scheme, keys: key })
    const headers = signs.sign(BODY, { id: 'message-1' })
    expect(Object.keys(headers).sort()).toEqual(names)
    for (const got of [headers, received(headers), new globalThis.Headers(headers)]) {
      expect(signs.verify(BODY, got)).toMatchObject({ key: 'keys[0]' })
    }
  })

  test('a scheme of the user', () => {
    const { clock, signer: signs } = clockedSigner({
      keys: ['new-key', 'old-key'],
      scheme: {
        header: 'X-Signature',
        prefix: 'v1=',
        encoding: 'base64',
        separator: ' ',
        signed: '{timestamp}:{body}',
        timestampHeader: 'X-Time',
      },
    })
    const seconds = Math.floor(clock.now() / 1000)
    const entry = (secret) => `v1=${tag(secret, `${seconds}:${BODY}`, 'base64')}`
    const headers = signs.sign(BODY)
    expect(headers).toEqual({
      'X-Signature': `${entry('new-key')} ${entry('old-key')}`,
      'X-Time': String(seconds),
    })
    expect(signs.verify(BODY, headers)).toMatchObject({
      key: 'keys[0]',
      version: 'v1',
      timestamp: new Date(seconds * 1000),
    })
    expect(thrown(() => signs.verify(BODY, { 'x-signature': headers['X-Signature'] }))).toMatchObject({
      code: 'ERR_SIGNATURE_MISSING',
      status: 400,
    })
  })

  test('an id that is signed is required, and may not end early', () => {
    const signs = signer({ scheme: 'standard-webhooks', keys: key })
    for (const id of [undefined, 'a.b', '', 'a b', 'a\n', 7]) {
      expect(thrown(() => signs.sign(BODY, { id })).code).toBe('ERR_INVALID_ARGUMENT')
    }
    expect(thrown(() => signs.sign(BODY)).message).toContain('id is required')
  })

  test('a time in seconds is refused', () => {
    const signs = signer({ scheme: 'stripe', keys: key })
    for (const timestamp of [1_700_000_000, NaN, '2027', new Date(NaN), {}]) {
      expect(thrown(() => signs.sign(BODY, { timestamp })).code).toBe('ERR_INVALID_ARGUMENT')
    }
  })
})

describe('bodies', () => {
  const signs = (body) => signatures(signer({ keys: 'key' }).sign(body))[0]
  const bytes = Buffer.from([0xff, 0xfe, 0, 0x80, 0xc3])

  test.each([
    ['a string', 'é☃\0x', 'é☃\0x'],
    ['a long string', 'é☃'.repeat(100_000), 'é☃'.repeat(100_000)],
    ['a string as long as the first room for one', 'x'.repeat(16 * 1024 - 1), 'x'.repeat(16 * 1024 - 1)],
    ['an empty string', '', ''],
    ['a Buffer', bytes, bytes],
    ['an empty Buffer', Buffer.alloc(0), ''],
    ['a part of an ArrayBuffer', new Uint8Array(new Uint8Array(bytes).buffer, 1, 3), bytes.subarray(1, 4)],
    ['a DataView', new DataView(new Uint8Array(bytes).buffer, 1, 3), bytes.subarray(1, 4)],
    ['an ArrayBuffer', new Uint8Array(bytes).buffer, bytes],
    ['numbers of 16 bits', new Uint16Array([1, 2]), Buffer.from(new Uint16Array([1, 2]).buffer)],
    ['numbers of 64 bits', new Float64Array([1.5]), Buffer.from(new Float64Array([1.5]).buffer)],
  ])('%s is signed byte by byte', (_, body, same) => {
    expect(signs(body)).toBe(tag('key', same))
  })

  test('shared memory is signed', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(5))
    shared.set(bytes)
    expect(signs(shared)).toBe(tag('key', bytes))
  })

  test('bodies that differ in bytes that are no UTF-8 have different signatures', () => {
    expect(signs(Buffer.from([0xff]))).not.toBe(signs(Buffer.from([0xfe])))
  })

  test.each([[{ a: 1 }], [undefined], [null], [7], [[1]], [Symbol('x')], [() => {}]])(
    'one that was parsed is refused: %p',
    (body) => {
      const signs = signer({ keys: 'key' })
      const error = thrown(() => signs.sign(body))
      expect(error).toMatchObject({ code: 'ERR_SIGNATURE_BODY_PARSED', status: 500 })
      expect(error.message).toContain('the body was parsed')
      expect(thrown(() => signs.verify(body, signs.sign('x'))).code).toBe('ERR_SIGNATURE_BODY_PARSED')
      expect(thrown(() => signs.verify(body, {})).code).toBe('ERR_SIGNATURE_BODY_PARSED')
    },
  )
})

describe('headers', () => {
  const name = 'x-pagerduty-signature'
  const good = `v1=${tag('key', BODY)}`
  const bad = `v1=${tag('other', BODY)}`
  const verify = (headers) => signer({ keys: 'key' }).verify(BODY, headers)

  test.each([
    ['in lower case', { [name]: good }],
    ['in any case', { 'X-PAGERDUTY-signature': good }],
    ['of fetch', new globalThis.Headers({ [name]: good })],
    ['a Map', new Map([[name, good]])],
    ['without a prototype', Object.assign(Object.create(null), { [name]: good })],
    ['twice, joined as Node.js joins them', { [name]: `${bad}, ${good}` }],
    ['twice, in a list', { [name]: [bad, good] }],
    ['in upper-case hex', { [name]: good.toUpperCase().replace('V1', 'v1') }],
    ['after one of an unknown version', { [name]: `v2=${good.slice(3)},${good}` }],
  ])('%s', (_, headers) => {
    expect(verify(headers)).toMatchObject({ key: 'keys[0]', version: 'v1', id: '01TEST' })
  })

  test.each([
    ['missing', {}, 'ERR_SIGNATURE_MISSING', 400],
    ['undefined', { [name]: undefined }, 'ERR_SIGNATURE_MISSING', 400],
    ['no text', { [name]: 7 }, 'ERR_SIGNATURE_MISSING', 400],
    ['empty', { [name]: '' }, 'ERR_SIGNATURE_MALFORMED', 400],
    ['cut', { [name]: good.slice(0, -2) }, 'ERR_SIGNATURE_MALFORMED', 400],
    ['of odd length', { [name]: good.slice(0, -1) }, 'ERR_SIGNATURE_MALFORMED', 400],
    ['of another version', { [name]: `v2=${good.slice(3)}` }, 'ERR_SIGNATURE_MALFORMED', 400],
    ['of another key', { [name]: bad }, 'ERR_SIGNATURE_MISMATCH', 403],
    ['endless', { [name]: Array(1000).fill(bad).concat(good).join(',') }, 'ERR_SIGNATURE_MALFORMED', 400],
  ])('a signature that is %s', (_, headers, code, status) => {
    const error = thrown(() => verify(headers))
    expect(error).toMatchObject({ code, status })
    expect(isRotorError(error)).toBe(true)
  })

  test('that are none are told at once', () => {
    for (const headers of [undefined, null, 'v1=00', 7]) {
      expect(thrown(() => verify(headers)).code).toBe('ERR_INVALID_ARGUMENT')
    }
  })

  test('a mismatch is a 401 where the sender is not PagerDuty', () => {
    const signs = signer({ scheme: 'github', keys: 'key' })
    const headers = { 'x-hub-signature-256': `sha256=${tag('other', BODY)}` }
    expect(thrown(() => signs.verify(BODY, headers))).toMatchObject({
      code: 'ERR_SIGNATURE_MISMATCH',
      status: 401,
    })
  })
})

describe('time', () => {
  test.each([
    ['now', 0, undefined],
    ['at the edge of the tolerance', -300_000, undefined],
    ['too old', -301_000, 'ERR_SIGNATURE_EXPIRED'],
    ['at the edge of the future', 300_000, undefined],
    ['from the future', 301_000, 'ERR_SIGNATURE_EXPIRED'],
  ])('a signature made %s', (_, offset, code) => {
    const { clock, signer: signs } = clockedSigner({ scheme: 'slack', keys: 'key' })
    const headers = signs.sign(BODY, { timestamp: clock.now() + offset })
    const verify = () => signs.verify(BODY, headers)
    if (code === undefined)
      expect(verify().timestamp).toEqual(new Date(Math.floor((clock.now() + offset) / 1000) * 1000))
    else expect(thrown(verify)).toMatchObject({ code, status: 400 })
  })

  test.each(['-1', '1e9', '+5', ' 5', '5 ', '0x5', '', '99999999999999999999', 'NaN'])(
    'a timestamp %p is malformed',
    (timestamp) => {
      const signs = signer({ scheme: 'slack', keys: 'key' })
      const headers = { ...received(signs.sign(BODY)), 'x-slack-request-timestamp': timestamp }
      expect(thrown(() => signs.verify(BODY, headers)).code).toBe('ERR_SIGNATURE_MALFORMED')
    },
  )
})

test('nothing that is shown holds a key', async () => {
  const secret = 'hunter2-signing-key'
  const signs = signer({ keys: [{ key: secret, label: 'autumn' }] })
  signs.sign(BODY)
  const shown = [inspect(signs, { depth: 9, showHidden: true }), JSON.stringify(signs)]
  shown.push(JSON.stringify([signs.status(), signs.health()]))
  shown.push(
    inspect(
      thrown(() => signs.verify(BODY, {})),
      { showHidden: true },
    ),
  )
  for (const text of shown) expect(text).not.toContain(secret)
})

test('a closed signer says so', async () => {
  const signs = signer({ keys: 'key' })
  const headers = signs.sign(BODY)
  await signs.close()
  await signs.close()
  for (const call of [
    () => signs.sign(BODY),
    () => signs.verify(BODY, headers),
    () => signs.verify(BODY, {}),
  ]) {
    expect(thrown(call).code).toBe('ERR_CLOSED')
  }
  expect((await rejection(signs.ready())).code).toBe('ERR_CLOSED')
  expect(signs.status()).toMatchObject({ closed: true, keys: [] })
})

describe('options', () => {
  test.each([
    ['nothing', undefined, 'options'],
    ['no scheme', { keys: 'key' }, 'scheme'],
    ['an unknown scheme', { scheme: 'pagerdutty', keys: 'key' }, 'scheme'],
    ['a scheme without a header', { scheme: {}, keys: 'key' }, 'scheme.header'],
    [
      'a template without the body',
      { scheme: { header: 'X', signed: '{id}' }, keys: 'key' },
      'scheme.signed',
    ],
    [
      'an id that has no header',
      { scheme: { header: 'X', signed: '{id}.{body}' }, keys: 'key' },
      'scheme.idHeader',
    ],
    ['no keys', { scheme: 'github' }, 'keys'],
    ['an empty list', { scheme: 'github', keys: [] }, 'keys'],
    ['an empty key', { scheme: 'github', keys: '' }, 'keys'],
    ['a number', { scheme: 'github', keys: 7 }, 'keys'],
    ['a promise', { scheme: 'github', keys: Promise.resolve('key') }, 'keys'],
    ['a key with a line break', { scheme: 'github', keys: ['a\nb'] }, 'keys[0]'],
    ['a key that is no base64', { scheme: 'standard-webhooks', keys: ['whsec_!'] }, 'keys[0]'],
    ['a short key', { scheme: 'standard-webhooks', keys: ['whsec_AAAA'] }, 'keys[0]'],
    [
      'two keys of one label',
      {
        scheme: 'github',
        keys: [
          { key: 'a', label: 'x' },
          { key: 'b', label: 'x' },
        ],
      },
      'keys[1].label',
    ],
    ['an unknown option', { scheme: 'github', keys: 'key', grace: 1 }, 'grace'],
    [
      'a time in seconds',
      { scheme: 'github', keys: [{ key: 'key', signsFrom: 1_700_000_000 }] },
      'keys[0].signsFrom',
    ],
    [
      'times in the wrong order',
      { scheme: 'github', keys: [{ key: 'key', signsFrom: '2027-01-02', signsUntil: '2027-01-01' }] },
      'keys[0].signsUntil',
    ],
    ['no tolerance', { scheme: 'github', keys: 'key', toleranceMs: 0 }, 'toleranceMs'],
  ])('%s is told', (_, options, option) => {
    const error = thrown(() => new WebhookSigner(options))
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error.option).toBe(option)
  })

  test('a key is not repeated in an error', () => {
    const secret = 'whsec_hunter2'
    const error = thrown(() => new WebhookSigner({ scheme: 'standard-webhooks', keys: [secret], x: 1 }))
    expect(inspect(error)).not.toContain('hunter2')
  })
})
