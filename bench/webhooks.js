'use strict'

// What signing and verifying a webhook costs, compared with node:crypto and with the libraries of
// the schemes.

const { createHmac, createSecretKey, timingSafeEqual } = require('node:crypto')
const standard = require('standardwebhooks')
const Stripe = require('stripe')
const svix = require('svix')
const { WebhookSigner } = require('..')
const { COPIES, ROUNDS, SAMPLE_MS, cpuClock, measure, variant } = require('./harness')

const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const OTHER_KEY = `whsec_${Buffer.alloc(32, 8).toString('base64')}`

/** The bytes of a body, with the least factor between createHmac and ours, if there is a target. */
const SIZES = [
  { bytes: 200, sign: 3.5, verify: 4 },
  { bytes: 1024, sign: 2.2 },
  { bytes: 16_384, sign: 1.1 },
  { bytes: 262_144, sign: 0.97 },
]
const LIBRARY_FACTOR = 5
const MESSAGE_ID = 'msg_2b6a3f7c'

const METHOD =
  `${ROUNDS} rounds of the rows of a table in turns, ${SAMPLE_MS} ms a sample; each loop is compiled ${COPIES} times, ` +
  'and the median counts'

/** Measures all that has a target. Returns the targets. */
async function webhooks(results) {
  results.section('What the signature of a webhook costs')
  results.say(
    `${METHOD}. ${cpuClock.name}. Bodies are Buffers of JSON. The rows with createHmac build and read the same ` +
      'headers, with a KeyObject that is made once.',
  )
  const signers = open()
  const targets = []
  for (const size of SIZES) targets.push(...(await againstHmac(results, signers, size)))
  for (const { bytes } of SIZES) targets.push(...(await againstLibraries(results, signers, bytes)))
  await Promise.all(Object.values(signers).map((signer) => signer.close()))
  return targets
}

function open() {
  const signer = (scheme, ...keys) => new WebhookSigner({ scheme, keys })
  return {
    pagerduty: signer('pagerduty', KEY),
    twoKeys: signer('pagerduty', KEY, OTHER_KEY),
    standard: signer('standard-webhooks', KEY),
    stripe: signer('stripe', KEY),
  }
}

/** JSON of a number of bytes, as an event has it. */
function bodyOf(bytes) {
  const begin = '{"event":{"id":"01","event_type":"incident.triggered","data":{"title":"'
  const end = '"}}}'
  return Buffer.from(begin + 'x'.repeat(bytes - begin.length - end.length) + end)
}

/** Signs and verifies in the scheme of PagerDuty, as a service writes it by hand. */
class HandWritten {
  #key = createSecretKey(KEY, 'utf8')

  sign(body) {
    return { 'X-PagerDuty-Signature': `v1=${createHmac('sha256', this.#key).update(body).digest('hex')}` }
  }

  verify(body, headers) {
    const expected = createHmac('sha256', this.#key).update(body).digest()
    for (const entry of headers['x-pagerduty-signature'].split(',').slice(0, 20)) {
      const text = entry.trim()
      if (!text.startsWith('v1=')) continue
      const given = Buffer.from(text.slice(3), 'hex')
      if (given.length === expected.length && timingSafeEqual(given, expected)) return { version: 'v1' }
    }
    throw new Error('no signature matches')
  }
}

async function againstHmac(results, { pagerduty, twoKeys }, { bytes, ...factors }) {
  const body = bodyOf(bytes)
  const byHand = new HandWritten()
  const headers = lower(pagerduty.sign(body))
  const size = sizeOf(bytes)
  const signing = (title, signer) =>
    variant(title, { signer, body }, 'subject.signer.sign(subject.body)', { isSync: true })
  const verifying = (title, signer) =>
    variant(title, { signer, body, headers }, 'subject.signer.verify(subject.body, subject.headers)', {
      isSync: true,
    })
  const signed = await measure([
    signing(`\`sign\`, ${size}`, pagerduty),
    signing(`\`createHmac\`, ${size}`, byHand),
    signing(`\`sign\` with two keys, ${size}`, twoKeys),
  ])
  results.table(table(signed))
  const verified = await measure([
    verifying(`\`verify\`, ${size}`, pagerduty),
    verifying(`\`createHmac\` and \`timingSafeEqual\`, ${size}`, byHand),
    verifying(`\`verify\` with two keys, ${size}`, twoKeys),
  ])
  results.table(table(verified))
  return [
    ...factorTarget(`\`sign\` at ${size}, against \`createHmac\``, signed, factors.sign),
    ...factorTarget(`\`verify\` at ${size}, against \`createHmac\``, verified, factors.verify),
  ]
}

/** Each library with its own scheme, verifying what it would get from its sender. */
async function againstLibraries(results, { standard: standardSigner, stripe: stripeSigner }, bytes) {
  const body = bodyOf(bytes)
  const size = sizeOf(bytes)
  const { webhooks: stripe } = new Stripe('sk_test_unused')
  const messages = {
    standard: lower(standardSigner.sign(body, { id: MESSAGE_ID })),
    stripe: lower(stripeSigner.sign(body)),
  }
  const ours = (title, signer, headers) =>
    variant(title, { signer, body, headers }, 'subject.signer.verify(subject.body, subject.headers)', {
      isSync: true,
    })
  const theirs = (title, webhook, expression) =>
    variant(title, { webhook, body, key: KEY, messages }, expression, { isSync: true })
  const standardRows = await measure([
    ours(`\`verify\`, standard-webhooks, ${size}`, standardSigner, messages.standard),
    theirs(
      `standardwebhooks ${versionOf('standardwebhooks')}, without parsing`,
      new standard.Webhook(KEY),
      'subject.webhook.verify(subject.body, subject.messages.standard, { jsonParse: false })',
    ),
    theirs(
      `svix ${versionOf('svix')}, which parses the body`,
      new svix.Webhook(KEY),
      'subject.webhook.verify(subject.body, subject.messages.standard)',
    ),
  ])
  results.table(table(standardRows))
  const stripeRows = await measure([
    ours(`\`verify\`, stripe, ${size}`, stripeSigner, messages.stripe),
    theirs(
      `stripe ${Stripe.PACKAGE_VERSION}, \`verifyHeader\`, without parsing`,
      stripe.signature,
      "subject.webhook.verifyHeader(subject.body, subject.messages.stripe['stripe-signature'], subject.key)",
    ),
  ])
  results.table(table(stripeRows))
  if (bytes !== SIZES[0].bytes) return []
  const [verify, standardwebhooks, withParsing] = standardRows
  return [
    ...factorTarget(
      `\`verify\` at ${size}, against standardwebhooks`,
      [verify, standardwebhooks],
      LIBRARY_FACTOR,
    ),
    ...factorTarget(`\`verify\` at ${size}, against svix`, [verify, withParsing], LIBRARY_FACTOR),
    ...factorTarget(`\`verify\` at ${size}, against stripe`, stripeRows, LIBRARY_FACTOR),
  ]
}

function factorTarget(name, [ours, theirs], least) {
  if (least === undefined) return []
  const factor = theirs.p50 / ours.p50
  const text = (value) => `${value.toFixed(2)}x`
  return [{ name, target: `≥ ${text(least)}`, measured: text(factor), isReached: factor >= least }]
}

/** Header names as Node.js gives them. */
function lower(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function sizeOf(bytes) {
  return bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KB`
}

function versionOf(name) {
  return require(`${name}/package.json`).version
}

function table(rows) {
  const micros = (nanos) => (nanos / 1000).toFixed(2)
  const [{ p50: base }] = rows
  return [
    ['', 'p10 µs', 'p50 µs', 'p90 µs', 'ratio'],
    ...rows.map(({ name, p10, p50, p90 }) => [
      name,
      micros(p10),
      micros(p50),
      micros(p90),
      (p50 / base).toFixed(2),
    ]),
  ]
}

module.exports = { webhooks }
