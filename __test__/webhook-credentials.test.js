'use strict'

const { Worker } = require('node:worker_threads')
const { IN_FLUX, OVER, SIGNED, STATE, alone, both } = require('./support/signing-states')
const { HOUR, NEW, OLD, OTHER, rotationWorld, settled } = require('./support/rotations')
const { clockedSigner, signatures, signer, tag, thrown } = require('./support/signers')
const { atEnd, closeAll, manager, rejection, server, virtualWorld } = require('./support/world')

afterEach(closeAll)

const BODY = '{"event":{"id":"01TEST"}}'

/** A world whose manager lends its credentials to a signer. */
async function lendingWorld({ signerOptions, ...options } = {}) {
  const world = await rotationWorld(options)
  const signs = signer({ keys: world.tokens, ...signerOptions })
  const events = []
  for (const name of ['key-added', 'key-retired']) signs.on(name, ({ key }) => events.push(`${name} ${key}`))
  await world.clock.advance(0)
  return { ...world, signs, events }
}

const made = (secret) => ({ 'x-pagerduty-signature': `v1=${tag(secret, BODY)}` })
const keyOf = (signs, secret) => signs.verify(BODY, made(secret)).key
const refused = (signs, secret) => thrown(() => signs.verify(BODY, made(secret))).code

test('a signer follows a rotation', async () => {
  const { clock, tokens, signs, events } = await lendingWorld()
  expect(signatures(signs.sign(BODY))).toEqual([tag('old', BODY)])
  const rotation = await settled(clock, 0, tokens.rotate(NEW))
  expect(signatures(signs.sign(BODY))).toEqual([tag('new', BODY), tag('old', BODY)])
  expect([keyOf(signs, 'new'), keyOf(signs, 'old')]).toEqual(['active', 'previous'])
  await settled(clock, 0, rotation.retireNow({ force: true }))
  expect(signatures(signs.sign(BODY))).toEqual([tag('new', BODY)])
  expect(refused(signs, 'old')).toBe('ERR_SIGNATURE_MISMATCH')
  expect(events).toEqual(['key-added next', 'key-retired previous'])
})

test('a candidate verifies before it signs', async () => {
  const { clock, server, tokens, signs } = await lendingWorld()
  server.set({ outage: 503 })
  const rotating = tokens.rotate(NEW)
  rotating.catch(() => {})
  await clock.advance(0)
  expect(tokens.status().phase).toBe('staged')
  expect(keyOf(signs, 'new')).toBe('next')
  expect(signatures(signs.sign(BODY))).toEqual([tag('old', BODY)])
})

test('a rollback is followed, too', async () => {
  const { clock, tokens, signs } = await lendingWorld()
  const rotation = await settled(clock, 0, tokens.rotate(NEW))
  await settled(clock, 0, rotation.rollback())
  expect(signatures(signs.sign(BODY))).toEqual([tag('old', BODY), tag('new', BODY)])
})

test('a retired credential verifies for graceMs, and does not sign', async () => {
  const { clock, tokens, signs } = await lendingWorld({ signerOptions: { graceMs: HOUR } })
  const rotation = await settled(clock, 0, tokens.rotate(NEW))
  await settled(clock, 0, rotation.retireNow({ force: true }))
  expect(signatures(signs.sign(BODY))).toEqual([tag('new', BODY)])
  expect(keyOf(signs, 'old')).toBe('retired')
  await clock.advance(HOUR - 1)
  expect(keyOf(signs, 'old')).toBe('retired')
  await clock.advance(1)
  expect(refused(signs, 'old')).toBe('ERR_SIGNATURE_MISMATCH')
  expect(signs.status().keys.map(({ key }) => key)).toEqual(['active'])
})

test('one that has leaked neither signs nor verifies from the promotion on, whatever graceMs says', async () => {
  const { clock, tokens, signs } = await lendingWorld({ signerOptions: { graceMs: HOUR } })
  await settled(clock, 0, tokens.rotate({ ...NEW, compromised: true }))
  expect(signatures(signs.sign(BODY))).toEqual([tag('new', BODY)])
  expect(refused(signs, 'old')).toBe('ERR_SIGNATURE_MISMATCH')
})

test('before the first token the configured credential signs', async () => {
  const { server, open } = await virtualWorld()
  server.set({ outage: 503 })
  const signs = signer({ keys: open({ credentials: OLD }) })
  expect(signatures(signs.sign(BODY))).toEqual([tag('old', BODY)])
})

test('without a credential there is no key', async () => {
  const { open } = await virtualWorld()
  const tokens = open({ credentials: () => new Promise(() => {}) })
  const signs = signer({ keys: tokens })
  expect(thrown(() => signs.sign(BODY))).toMatchObject({ code: 'ERR_NO_KEY', status: 503 })
})

test('what is retired signs nothing by the time it is told', async () => {
  const { clock, tokens, signs } = await lendingWorld()
  const told = []
  tokens.on('rotation', ({ change }) => {
    if (change === 'retired') told.push(signatures(signs.sign(BODY)))
  })
  await settled(clock, 0, tokens.rotate(NEW))
  await clock.advance(HOUR)
  expect(told).toEqual([[tag('new', BODY)]])
})

test('a secret that cannot be a key of the scheme is told by the constructor', async () => {
  const { tokens } = await lendingWorld()
  const error = thrown(() => signer({ scheme: 'standard-webhooks', keys: tokens }))
  expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'keys' })
})

test('ready() is that of the manager', async () => {
  const { signs, tokens } = await lendingWorld()
  await signs.ready()
  await tokens.close()
  expect((await rejection(signs.ready())).code).toBe('ERR_CLOSED')
  expect(thrown(() => signs.sign(BODY)).code).toBe('ERR_NO_KEY')
})

describe('authHeaders()', () => {
  test('returns the token and the signature of one instant', async () => {
    const { clock, tokens } = await rotationWorld()
    const stripe = signer({ scheme: 'stripe', keys: 'key', clock })
    const headers = await tokens.authHeaders(BODY, { signer: stripe })
    expect(headers).toEqual({ Authorization: `Bearer ${tokens.peek()}`, ...stripe.sign(BODY) })
  })

  test('signs when the token is there', async () => {
    const { clock, server, open } = await virtualWorld({ latencyMs: 2000 })
    const { signer: stripe } = { signer: signer({ scheme: 'stripe', keys: 'key', clock }) }
    const start = clock.now()
    const headers = await settled(clock, 2000, open().authHeaders(BODY, { signer: stripe }))
    expect(headers['Stripe-Signature']).toContain(`t=${Math.floor((start + 2000) / 1000)},`)
    expect(server.requests).toHaveLength(1)
  })

  test.each([
    ['no signer', {}, 'ERR_INVALID_ARGUMENT'],
    ['something else as a signer', { signer: { sign() {} } }, 'ERR_INVALID_ARGUMENT'],
    ['an unknown option', { ids: 'x' }, 'ERR_INVALID_ARGUMENT'],
    ['a time in seconds', { timestamp: 1_700_000_000 }, 'ERR_INVALID_ARGUMENT'],
  ])('rejects %s before it waits', async (_, options, code) => {
    const { open } = await virtualWorld({ latencyMs: 3_600_000 })
    const { signer: signs } = clockedSigner({ keys: 'key' })
    const given = 'signer' in options || _ === 'no signer' ? options : { signer: signs, ...options }
    expect((await rejection(open().authHeaders(BODY, given))).code).toBe(code)
  })

  test('rejects a parsed body, and an aborted signal', async () => {
    const { tokens } = await rotationWorld()
    const signs = signer({ keys: 'key' })
    expect((await rejection(tokens.authHeaders({}, { signer: signs }))).code).toBe(
      'ERR_SIGNATURE_BODY_PARSED',
    )
    const aborted = tokens.authHeaders(BODY, { signer: signs, signal: AbortSignal.abort() })
    expect((await rejection(aborted)).name).toBe('AbortError')
  })
})

test('a thread that signs in a tight loop never signs with a retired secret, and never without one', async () => {
  const ROTATIONS = 200
  const credentials = [OLD, NEW, OTHER]
  const secrets = credentials.map(({ clientSecret }) => clientSecret)
  const provider = await server({ clients: { app: secrets } })
  // To derive an id takes most of the time of a rotation. This one keeps the ids of all three.
  const keeper = manager(provider, { credentials })
  keeper.status()
  await keeper.ready()
  const name = 'a signing thread'
  const tokens = manager(provider, { name, overlapMs: 60_000, credentials: OLD })
  await tokens.ready()
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(require.resolve('./support/children/signing-worker'), {
    workerData: { tokenUrl: provider.tokenUrl, name, body: BODY, secrets, shared },
  })
  atEnd(() => worker.terminate())
  const message = () =>
    new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await message()
  for (let turn = 1; turn <= ROTATIONS; turn += 1) {
    const active = turn % 3
    Atomics.store(shared, STATE, IN_FLUX)
    const rotation = await tokens.rotate(credentials[active])
    Atomics.store(shared, STATE, both(active, (turn - 1) % 3))
    Atomics.store(shared, STATE, IN_FLUX)
    await rotation.retireNow({ force: true })
    Atomics.store(shared, STATE, alone(active))
    // The thread has seen it.
    const seen = Atomics.load(shared, SIGNED)
    while (Atomics.load(shared, SIGNED) - seen < 2);
  }
  Atomics.store(shared, STATE, OVER)
  const { signed, wrong, checked } = await message()
  expect(wrong).toEqual([])
  expect(signed).toBeGreaterThan(ROTATIONS)
  expect(checked).toBeGreaterThan(ROTATIONS)
}, 120_000)
