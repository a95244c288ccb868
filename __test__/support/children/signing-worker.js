'use strict'

// Signs in a tight loop with the secrets of a manager that another thread rotates, and checks each
// signature. The event loop of this thread never turns meanwhile.

const { parentPort, workerData } = require('node:worker_threads')
const { TokenManager, WebhookSigner, oauth2 } = require('../../..')
const { tag } = require('../signers')
const { IN_FLUX, OVER, SIGNED, STATE, liveIn } = require('../signing-states')

const { tokenUrl, name, body, secrets, shared } = workerData

async function main() {
  const tokens = new TokenManager({
    name,
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { label: 'old', clientId: 'app', clientSecret: secrets[0] },
    overlapMs: 60_000,
  })
  const signer = new WebhookSigner({ scheme: 'pagerduty', keys: tokens })
  await signer.ready()
  const tags = secrets.map((secret) => `v1=${tag(secret, body)}`)
  const found = { signed: 0, checked: 0, wrong: [] }
  parentPort.postMessage('ready')
  for (let state = IN_FLUX; state !== OVER; found.signed += 1) {
    state = Atomics.load(shared, STATE)
    const value = signer.sign(body)['X-PagerDuty-Signature']
    Atomics.add(shared, SIGNED, 1)
    if (state < 0) {
      if (!value.split(',').every((entry) => tags.includes(entry))) found.wrong.push({ state, value })
    } else if (Atomics.load(shared, STATE) === state) {
      // With one live secret, the sign began after the retirement of the other was told.
      found.checked += 1
      const wanted = liveIn(state).map((index) => tags[index])
      if (value !== wanted.join(',')) found.wrong.push({ state, value })
    }
  }
  parentPort.postMessage(found)
  await Promise.all([signer.close(), tokens.close()])
}

main()
