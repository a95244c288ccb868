'use strict'

// Every failure of a signer whose key is the secret, for the child of secrecy.test.js.

const { Readable } = require('node:stream')
const { WebhookSigner } = require('../..')
const { readRawBody } = require('../../lib/integrations/raw-body')
const { KEY_EVENTS } = require('../../lib/options/arguments')

const HOUR = 3_600_000

/**
 * `rejects` and `throws` take down what a call fails with, `show` what it brings, `events` the names
 * of events.
 */
async function signers({ secret }, { rejects, throws, show, events }) {
  const loud = Object.assign(new Error(secret, { cause: secret }), { code: secret, secret })

  async function using(where, options, act) {
    const signer = new WebhookSigner({ scheme: 'pagerduty', ...options })
    for (const name of KEY_EVENTS) {
      signer.on(name, (payload) => {
        events.add(name)
        show(`${where}: event ${name}`, payload)
      })
    }
    await act(signer)
    for (const shown of [signer, signer.status(), signer.health()]) show(`${where}: signer`, shown)
    await signer.close()
    throws(`${where}, closed`, () => signer.sign('body'))
  }

  for (const [where, make] of Object.entries({
    scheme: () => new WebhookSigner({ scheme: secret, keys: secret }),
    'a list for a key': () => new WebhookSigner({ scheme: 'github', keys: [[secret]] }),
    'a control character': () => new WebhookSigner({ scheme: 'github', keys: `${secret}\u0007` }),
    'no base64': () => new WebhookSigner({ scheme: 'standard-webhooks', keys: [{ key: secret }] }),
    'a secret for a time': () =>
      new WebhookSigner({ scheme: 'github', keys: { key: secret, signsFrom: secret } }),
    'a secret for an option': () => new WebhookSigner({ scheme: 'github', keys: secret, [secret]: secret }),
  })) {
    throws(`options of a signer: ${where}`, make)
  }

  await using('a literal', { keys: [{ key: secret, label: 'current' }] }, async (signer) => {
    const header = 'x-pagerduty-signature'
    throws('no signature', () => signer.verify(secret, {}))
    throws('no headers', () => signer.verify(secret, secret))
    throws('a malformed signature', () => signer.verify('body', { [header]: secret }))
    throws('another signature', () => signer.verify(secret, { [header]: `v1=${'0'.repeat(64)}` }))
    throws('a parsed body', () => signer.sign({ secret }))
    throws('a secret for an id', () => signer.sign('body', { id: `${secret} ${secret}` }))
    const webhook = signer.verify(`{"event":{"id":"1"}}`, signer.sign(`{"event":{"id":"1"}}`))
    show('a webhook', webhook)
  })
  await using('an old signature', { scheme: 'stripe', keys: secret }, async (signer) => {
    const headers = signer.sign('body', { timestamp: Date.now() - HOUR })
    throws('an old signature', () => signer.verify('body', headers))
  })
  await using('a function that fails', { keys: () => Promise.reject(loud) }, async (signer) => {
    await rejects('a function that fails', signer.ready())
    throws('no key', () => signer.sign('body'))
  })
  let value = secret
  await using('a key that changes', { keys: () => value, sourcePollMs: 10 }, async (signer) => {
    await signer.ready()
    const told = (name) => new Promise((resolve) => signer.once(name, resolve))
    const changed = told('key-retired')
    value = `${secret}-next`
    await changed
    const unreadable = told('key-unreadable')
    value = `${secret}\u0007`
    await unreadable
  })

  const request = Object.assign(Readable.from([Buffer.from(secret.repeat(10))]), { headers: {} })
  await rejects('a body that is too large', readRawBody(request, { limit: 1 }))
}

module.exports = { signers }
