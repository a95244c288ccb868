'use strict'

// The libraries that the other side of a webhook uses have to accept what we sign, and we what they
// sign. `INTEROP_SEED=n` repeats a run.

const path = require('node:path')
const { buildSync } = require('esbuild')
const standard = require('standardwebhooks')
const Stripe = require('stripe')
const svix = require('svix')
const { WebhookSigner } = require('..')
const { closeAll, closing } = require('./support/world')

const CASES = 1000
const seed = Number(process.env.INTEROP_SEED ?? Math.floor(Math.random() * 2 ** 31))
const random = randomFrom(seed)
const octokit = loadEsModule('@octokit/webhooks-methods/dist-node/index.js')
const { webhooks: stripe } = new Stripe('sk_test_unused')

beforeAll(() => console.log(`INTEROP_SEED=${seed}`))
afterEach(closeAll)

/** Whole numbers below a bound, the same for the same seed. */
function randomFrom(start) {
  let state = start
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}

/** Jest loads no ES modules, and this library is nothing else. */
function loadEsModule(file) {
  const entry = path.join(__dirname, '..', 'node_modules', file)
  const options = { entryPoints: [entry], bundle: true, format: 'cjs', platform: 'node', write: false }
  const [{ text }] = buildSync(options).outputFiles
  const module = { exports: {} }
  new Function('require', 'module', text)(require, module)
  return module.exports
}

const pick = (list) => list[random(list.length)]
const bytes = (length) => Buffer.from(Array.from({ length }, () => random(256)))
const word = () => bytes(1 + random(24)).toString('base64url')

/** A text of any characters, as JSON so that libraries which parse the body can. */
function randomJson() {
  const characters = ['a', '"', '\\', '\n', '\0', 'é', 'ß', '€', '漢', '😀', '\u2028', '\ufffd', ' ']
  const text = Array.from({ length: random(pick([1, 20, 200, 800])) }, () => pick(characters)).join('')
  return pick([
    JSON.stringify(text),
    JSON.stringify({ id: word(), text, at: random(2 ** 31) }, null, random(3)),
    JSON.stringify([text, word()]).replaceAll('é', '\\u00e9'),
  ])
}

/** The same body in another of the forms that a user may have it in. */
function formOf(body) {
  const buffer = Buffer.from(body)
  const copy = Uint8Array.from(buffer)
  return pick([
    () => body,
    () => buffer,
    () => copy,
    () => copy.buffer,
    () => new DataView(copy.buffer),
    () => Buffer.concat([Buffer.from('x'), buffer]).subarray(1),
  ])()
}

/** An instant that every library accepts now, in whole seconds. */
const recent = () => (Math.floor(Date.now() / 1000) - 240 + random(480)) * 1000

/** Header names as Node.js gives them. */
const lower = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const standardKey = () => `${pick(['whsec_', ''])}${bytes(24 + random(41)).toString('base64')}`
const textKey = () => `whsec_${word()}${pick(['', 'é', '= =', '=='])}`

/**
 * Each library: how it signs and verifies with one key, as headers, and what bodies it takes.
 */
const LIBRARIES = [
  ['standardwebhooks', standard, { jsonParse: false }],
  ['svix', svix, undefined],
].map(([name, { Webhook }, options]) => [
  name,
  {
    scheme: 'standard-webhooks',
    makeKey: standardKey,
    sign: (key, body, { id, timestamp }) => ({
      'webhook-id': id,
      'webhook-timestamp': String(timestamp / 1000),
      'webhook-signature': new Webhook(key).sign(id, new Date(timestamp), body),
    }),
    join: (one, other) => ({
      ...one,
      'webhook-signature': `${one['webhook-signature']} ${other['webhook-signature']}`,
    }),
    verify: (key, body, headers) =>
      accepts(() => new Webhook(key).verify(pick([body, Buffer.from(body)]), headers, options)),
  },
])
LIBRARIES.push(
  [
    'stripe',
    {
      scheme: 'stripe',
      makeKey: textKey,
      sign: (secret, payload, { timestamp }) => ({
        'stripe-signature': stripe.generateTestHeaderString({
          payload,
          secret,
          timestamp: timestamp / 1000,
        }),
      }),
      join: (one, other) => ({
        'stripe-signature': `${one['stripe-signature']},${other['stripe-signature'].split(',')[1]}`,
      }),
      verify: (key, body, { 'stripe-signature': header }) =>
        accepts(() => stripe.constructEvent(pick([body, Buffer.from(body)]), header, key)),
    },
  ],
  [
    '@octokit/webhooks-methods',
    {
      scheme: 'github',
      makeKey: textKey,
      sign: async (key, body) => ({ 'x-hub-signature-256': await octokit.sign(key, body) }),
      verify: (key, body, { 'x-hub-signature-256': header }) => octokit.verify(key, body, header),
    },
  ],
)

function accepts(verify) {
  try {
    verify()
    return true
  } catch {
    return false
  }
}

function failure(act) {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}

function signerOf(scheme, ...keys) {
  const labels = ['new', 'old']
  return closing(new WebhookSigner({ scheme, keys: keys.map((key, at) => ({ key, label: labels[at] })) }))
}

describe.each(LIBRARIES)('%s', (name, { scheme, makeKey, sign, verify, join }) => {
  const isTimed = scheme !== 'github'

  /** Random messages, with signers of one key and of two. The keys change every 20 messages. */
  async function eachCase(act) {
    let keys
    for (let number = 0; number < CASES; number++) {
      if (number % 20 === 0) {
        await closeAll()
        const [key, old] = [makeKey(), makeKey()]
        keys = { key, old, one: signerOf(scheme, key), two: signerOf(scheme, key, old) }
      }
      const at = recent()
      const options = { id: `msg_${word()}`, timestamp: pick([at, new Date(at)]) }
      await act({ number, body: randomJson(), options, ...keys })
    }
  }

  test(`accepts ${CASES} messages that we sign`, async () => {
    await eachCase(async ({ number, body, options, key, old, one, two }) => {
      const headers = lower(one.sign(formOf(body), options))
      const both = lower(two.sign(formOf(body), options))
      const verdicts = [
        await verify(key, body, headers),
        await verify(old, body, headers),
        await verify(key, `${body} `, headers),
        await verify(key, body, both),
        await verify(old, body, both),
        await verify(makeKey(), body, both),
      ]
      // Where one signature fits, the key that receivers know for longer signs.
      const expected = [true, false, false, join !== undefined, true, false]
      expect({ seed, number, verdicts }).toEqual({ seed, number, verdicts: expected })
    })
  })

  test(`${CASES} messages that it signs are accepted by us`, async () => {
    await eachCase(async ({ number, body, options, key, old, one, two }) => {
      const headers = await sign(key, body, options)
      const byOld = await sign(old, body, options)
      const expected = {
        id: scheme === 'standard-webhooks' ? options.id : scheme === 'stripe' ? idIn(body) : undefined,
        timestamp: isTimed ? new Date(options.timestamp) : undefined,
      }
      const told = (signer, given) => {
        const { key: which, id, timestamp } = signer.verify(formOf(body), given)
        return { seed, number, which, id, timestamp }
      }
      expect(told(one, headers)).toEqual({ seed, number, which: 'new', ...expected })
      expect(told(two, pick([byOld, new globalThis.Headers(byOld)]))).toEqual({
        seed,
        number,
        which: 'old',
        ...expected,
      })
      if (join) expect(['new', 'old']).toContain(told(two, join(byOld, headers)).which)
      expect(failure(() => one.verify(formOf(body), byOld)).code).toBe('ERR_SIGNATURE_MISMATCH')
      expect(failure(() => one.verify(`${body} `, headers)).code).toBe('ERR_SIGNATURE_MISMATCH')
    })
  })
})

/** The id of an event in a body, as Stripe has it. */
function idIn(body) {
  const { id } = JSON.parse(body) ?? {}
  return id
}

test("octokit's verifyWithFallback() takes both keys of a roll", async () => {
  const signer = signerOf('github', 'new key', 'old key')
  const { 'X-Hub-Signature-256': header } = signer.sign('{}')
  expect(await octokit.verifyWithFallback('new key', '{}', header, ['old key'])).toBe(true)
})

describe('where a library is wrong, we are not:', () => {
  const key = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
  const now = () => Math.floor(Date.now() / 1000) * 1000
  const standardHeaders = (body, timestamp = now(), id = 'msg_1') => ({
    'webhook-id': id,
    'webhook-timestamp': String(timestamp / 1000),
    'webhook-signature': new standard.Webhook(key).sign(id, new Date(timestamp), body),
  })
  const stripeHeader = (payload, timestamp = now()) => ({
    'stripe-signature': stripe.generateTestHeaderString({
      payload,
      secret: key,
      timestamp: timestamp / 1000,
    }),
  })
  const [one, other] = [Buffer.from([0xff]), Buffer.from([0xfe])]

  test('standardwebhooks has one signature for different bodies that are no UTF-8', () => {
    const webhook = new standard.Webhook(key)
    const at = new Date(now())
    expect(webhook.sign('msg_1', at, one)).toBe(webhook.sign('msg_1', at, other))
    const signer = signerOf('standard-webhooks', key)
    const headers = signer.sign(one, { id: 'msg_1', timestamp: at })
    expect(signer.verify(one, headers).key).toBe('new')
    expect(failure(() => signer.verify(other, headers)).code).toBe('ERR_SIGNATURE_MISMATCH')
    expect(failure(() => signer.verify(one, standardHeaders(one))).code).toBe('ERR_SIGNATURE_MISMATCH')
  })

  test('stripe has one signature for different bodies that are no UTF-8', () => {
    const signature = stripe.signature
    const header = stripeHeader('\ufffd')['stripe-signature']
    expect(signature.verifyHeader(one, header, key)).toBe(true)
    expect(signature.verifyHeader(other, header, key)).toBe(true)
    const signer = signerOf('stripe', key)
    expect(failure(() => signer.verify(one, { 'stripe-signature': header })).code).toBe(
      'ERR_SIGNATURE_MISMATCH',
    )
    const headers = signer.sign(one)
    expect(signer.verify(one, headers).key).toBe('new')
    expect(failure(() => signer.verify(other, headers)).code).toBe('ERR_SIGNATURE_MISMATCH')
  })

  test('stripe refuses a body with a byte order mark, which it removes before it verifies', () => {
    const body = Buffer.from('\ufeff{}')
    const headers = signerOf('stripe', key).sign(body)
    expect(accepts(() => stripe.signature.verifyHeader(body, headers['Stripe-Signature'], key))).toBe(false)
    expect(signerOf('stripe', key).verify(body, headers).key).toBe('new')
  })

  test('standardwebhooks refuses a Uint8Array', () => {
    const body = Uint8Array.from(Buffer.from('{}'))
    const headers = standardHeaders('{}')
    expect(() => new standard.Webhook(key).verify(body, headers)).toThrow('type string or Buffer')
    expect(signerOf('standard-webhooks', key).verify(body, headers).key).toBe('new')
  })

  test('standardwebhooks fails with a TypeError for a header that is an array', () => {
    const headers = standardHeaders('{}')
    const asArray = { ...headers, 'webhook-signature': [headers['webhook-signature']] }
    expect(failure(() => new standard.Webhook(key).verify('{}', asArray)).name).toBe('TypeError')
    expect(signerOf('standard-webhooks', key).verify('{}', asArray).key).toBe('new')
  })

  test('standardwebhooks takes a key of one byte', () => {
    const short = `whsec_${Buffer.from([1]).toString('base64')}`
    expect(new standard.Webhook(short)).toBeDefined()
    expect(failure(() => signerOf('standard-webhooks', short)).code).toBe('ERR_INVALID_OPTION')
  })

  test('standardwebhooks and stripe take a timestamp with garbage behind it', () => {
    const headers = standardHeaders('{}')
    const garbage = { ...headers, 'webhook-timestamp': `${headers['webhook-timestamp']}.5e9` }
    expect(accepts(() => new standard.Webhook(key).verify('{}', garbage))).toBe(true)
    const signer = signerOf('standard-webhooks', key)
    expect(failure(() => signer.verify('{}', garbage)).code).toBe('ERR_SIGNATURE_MALFORMED')

    const header = stripeHeader('{}')['stripe-signature'].replace(',', 'x,')
    expect(stripe.signature.verifyHeader('{}', header, key)).toBe(true)
    const refused = failure(() => signerOf('stripe', key).verify('{}', { 'stripe-signature': header }))
    expect(refused.code).toBe('ERR_SIGNATURE_MALFORMED')
  })

  test('stripe takes what was signed in the future, and anything old with a tolerance of 0', () => {
    const future = stripeHeader('{}', now() + 3_600_000)
    expect(stripe.signature.verifyHeader('{}', future['stripe-signature'], key)).toBe(true)
    const signer = signerOf('stripe', key)
    expect(failure(() => signer.verify('{}', future)).code).toBe('ERR_SIGNATURE_EXPIRED')

    const old = stripeHeader('{}', now() - 86_400_000)
    expect(stripe.signature.verifyHeader('{}', old['stripe-signature'], key, 0)).toBe(true)
    const withoutTolerance = () => new WebhookSigner({ scheme: 'stripe', keys: key, toleranceMs: 0 })
    expect(failure(withoutTolerance)).toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'toleranceMs' })
  })

  test('octokit and stripe take no empty body, and octokit no bytes', async () => {
    await expect(octokit.sign(key, '')).rejects.toThrow('payload required')
    await expect(octokit.sign(key, Buffer.from('{}'))).rejects.toThrow('must be a string')
    for (const scheme of ['github', 'stripe']) {
      const signer = signerOf(scheme, key)
      for (const body of ['', Buffer.from('{}')])
        expect(signer.verify(body, signer.sign(body)).key).toBe('new')
    }
    const { 'Stripe-Signature': header } = signerOf('stripe', key).sign('')
    expect(() => stripe.signature.verifyHeader('', header, key)).toThrow('No webhook payload was provided')
  })

  test('octokit and standardwebhooks do not say that the body was parsed', async () => {
    const parsed = { id: 1 }
    const { message } = failure(() => new standard.Webhook(key).verify(parsed, standardHeaders('{}')))
    expect(message).not.toMatch(/parsed|raw/)
    await expect(octokit.verify(key, parsed, 'sha256=00')).rejects.toThrow(/^(?!.*(parsed|raw))/)
    const error = failure(() =>
      signerOf('github', key).verify(parsed, { 'x-hub-signature-256': 'sha256=00' }),
    )
    expect(error).toMatchObject({ code: 'ERR_SIGNATURE_BODY_PARSED', status: 500 })
  })
})
