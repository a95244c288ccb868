'use strict'

const http = require('node:http')

const { EndpointError } = require('..')
const { atEnd, closeAll, event, rejection } = require('./support/world')
const {
  HOUR,
  MINUTE,
  NEW,
  OLD,
  isPending,
  named,
  roles,
  rotationWorld,
  settled,
} = require('./support/rotations')

afterEach(closeAll)

const wrong = { ...NEW, clientSecret: 'wrong' }

test('a wrong secret is given up after three rejections in five seconds, and changes nothing', async () => {
  const { clock, server, tokens, changes, presented } = await rotationWorld()
  const [held, start] = [tokens.peek(), clock.now()]
  const rotating = tokens.rotate(wrong)
  await clock.advance(4999)
  expect(await isPending(clock, rotating)).toBe(true)
  expect(tokens.status()).toMatchObject({ phase: 'staged', rotation: { phase: 'staged' } })
  expect(await tokens.getToken()).toBe(held)
  const error = await rejection(settled(clock, 1, rotating))
  const { rotationId, candidate, ...rotation } = tokens.rotation()
  expect(error).toMatchObject({
    code: 'ERR_CANDIDATE_REJECTED',
    credentialId: candidate.credentialId,
    rotationId,
    retryable: false,
  })
  expect(error.stack).toContain(__filename)
  expect(rotation).toMatchObject({ phase: 'failed', reason: error.code, previous: null, generation: 1 })
  expect(tokens.peek()).toBe(held)
  expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1, token: { label: 'old' } })
  expect(presented()).toEqual(['old', 'wrong', 'wrong', 'wrong'])
  expect(server.requests.at(-1).at - start).toBe(5000)
  expect(changes).toEqual(['started', 'staged', 'candidate-rejected'])
  expect(tokens.health()).toMatchObject({ ready: true, degraded: false })
})

describe('a bare refusal, which may be a gateway’s,', () => {
  const GRANT = { status: 200, body: { access_token: 'granted', expires_in: 3600 } }
  const judging = (accepts) =>
    Array(200).fill(({ presented }) => (accepts(presented) ? GRANT : { status: 401, body: '' }))

  test.each([
    ['403', ({ server }) => server.set({ wrongSecretStatus: 403 })],
    ['401', ({ server }) => server.respond(...judging((secret) => secret === 'old'))],
  ])('(%s) is a rejection when the active secret is accepted, which is asked once', async (_, prepare) => {
    const world = await rotationWorld()
    const { clock, tokens, changes, presented } = world
    prepare(world)
    const rotating = tokens.rotate(wrong)
    await clock.advance(4999)
    expect(await isPending(clock, rotating)).toBe(true)
    const error = await rejection(settled(clock, 1001, rotating))
    expect(error).toMatchObject({ code: 'ERR_CANDIDATE_REJECTED', retryable: false })
    expect(error.cause.code).toBe('ERR_CREDENTIAL_REJECTED')
    expect(presented()).toEqual(['old', 'wrong', 'old', 'wrong', 'wrong'])
    expect(changes).toEqual(['started', 'staged', 'awaiting-proof', 'candidate-rejected'])
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1 })
    expect(tokens.health()).toMatchObject({ ready: true, degraded: false })
  })

  test.each([
    ['invalid_request', { status: 400, body: { error: 'Invalid_Request' } }],
    ['no code', { status: 400, body: { message: 'Bad credentials' } }],
  ])('or an answer about the request (%s), is judged alike', async (_, answer) => {
    const { clock, server, tokens } = await rotationWorld()
    server.respond(...Array(200).fill(({ presented }) => (presented === 'old' ? GRANT : answer)))
    const error = await rejection(settled(clock, MINUTE, tokens.rotate(wrong)))
    expect(error).toMatchObject({ code: 'ERR_CANDIDATE_REJECTED', cause: { code: 'ERR_MISCONFIGURED' } })
    expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1 })
  })

  test('says nothing of a secret when the active one gets it, too, and is waited out', async () => {
    const { clock, server, tokens } = await rotationWorld()
    // What was accepted at the very instant of a refusal counts as accepted after it.
    await clock.advance(1)
    let isInTheWay = true
    server.respond(...judging(() => !isInTheWay))
    const rotating = tokens.rotate(NEW)
    await clock.advance(2 * MINUTE)
    expect(await isPending(clock, rotating)).toBe(true)
    expect(tokens.status()).toMatchObject({ phase: 'staged', generation: 1 })
    isInTheWay = false
    expect((await settled(clock, MINUTE, rotating)).active).toEqual(named(NEW))
  })
})

test('rejections while the provider makes a secret known do not count', async () => {
  const { clock, tokens } = await rotationWorld({ provider: { propagationMs: 10_000 } })
  const rotating = tokens.rotate(wrong)
  await clock.advance(14_000)
  expect(await isPending(clock, rotating)).toBe(true)
  const error = await rejection(settled(clock, 10_000, rotating))
  expect(error.code).toBe('ERR_CANDIDATE_REJECTED')
})

test.each([
  ['an outage', { outage: 503 }],
  ['cut connections', { outage: true }],
  ['a page instead of JSON', { outage: 'html' }],
])('%s says nothing of a secret: it is waited out, and told once', async (_, knobs) => {
  const { clock, server, tokens, changes } = await rotationWorld()
  const told = event(tokens, 'rotation', ({ change }) => change === 'awaiting-proof')
  server.set(knobs)
  const rotating = tokens.rotate(NEW)
  await clock.advance(2 * MINUTE)
  expect(await isPending(clock, rotating)).toBe(true)
  expect(tokens.status()).toMatchObject({ phase: 'staged', generation: 1 })
  const { error, next } = await told
  expect(error).toBeInstanceOf(EndpointError)
  expect(next).toEqual(named(NEW))
  server.set({ outage: false })
  expect((await settled(clock, MINUTE, rotating)).active).toEqual(named(NEW))
  expect(changes.filter((change) => change === 'awaiting-proof')).toHaveLength(1)
})

test('what nothing has proved in ten minutes is given up', async () => {
  const { clock, server, tokens } = await rotationWorld()
  server.set({ outage: 503 })
  const rotating = tokens.rotate({ ...NEW, deadlineMs: HOUR })
  await clock.advance(10 * MINUTE - 1)
  expect(await isPending(clock, rotating)).toBe(true)
  const error = await rejection(settled(clock, 1, rotating))
  expect(error).toMatchObject({ code: 'ERR_CANDIDATE_UNVERIFIED', rotationId: expect.any(String) })
  expect(error.cause).toMatchObject({ code: 'ERR_ENDPOINT', status: 503 })
  expect(error.message).toContain(error.cause.message)
  expect(tokens.rotation()).toMatchObject({ phase: 'failed', reason: error.code })
})

describe('a caller that waits no longer', () => {
  test('because of its deadline withdraws what nobody else wants', async () => {
    const { clock, server, tokens, changes } = await rotationWorld()
    server.set({ outage: 503 })
    const rotating = tokens.rotate({ ...NEW, rotationId: 'CHG-1', deadlineMs: MINUTE })
    await clock.advance(MINUTE - 1)
    expect(await isPending(clock, rotating)).toBe(true)
    const error = await rejection(settled(clock, 1, rotating))
    expect(error).toMatchObject({ code: 'ERR_ROTATION_TIMEOUT', rotationId: 'CHG-1', retryable: true })
    expect(error.cause).toMatchObject({ code: 'ERR_ENDPOINT', status: 503 })
    expect(error.stack).toContain(__filename)
    expect(tokens.status()).toMatchObject({ phase: 'stable', rotation: { phase: 'failed' } })
    expect(changes.at(-1)).toBe('candidate-withdrawn')
  })

  test('leaves the rotation to those who do', async () => {
    const { clock, server, tokens } = await rotationWorld()
    server.set({ outage: 503 })
    const patient = tokens.rotate(NEW)
    const error = await rejection(settled(clock, 1000, tokens.rotate({ ...NEW, deadlineMs: 1000 })))
    expect(error.code).toBe('ERR_ROTATION_TIMEOUT')
    expect(tokens.status().phase).toBe('staged')
    server.set({ outage: false })
    expect((await settled(clock, MINUTE, patient)).active).toEqual(named(NEW))
  })

  test('because of its signal gets the reason, and withdraws what nobody else wants', async () => {
    const { clock, server, tokens } = await rotationWorld()
    server.set({ outage: 503 })
    const controller = new AbortController()
    const reason = new Error('too late')
    const refused = rejection(tokens.rotate({ ...NEW, signal: controller.signal }))
    await clock.advance(0)
    expect(tokens.status().phase).toBe('staged')
    controller.abort(reason)
    expect(await refused).toBe(reason)
    await clock.advance(0)
    expect(tokens.status().phase).toBe('stable')
  })

  test('because of close gets ERR_CLOSED', async () => {
    const { clock, server, tokens } = await rotationWorld()
    server.set({ outage: 503 })
    const refused = rejection(tokens.rotate(NEW))
    await clock.advance(0)
    await tokens.close()
    expect((await refused).code).toBe('ERR_CLOSED')
  })
})

describe('verify', () => {
  const verify = (server) => ({ url: `${server.url}/api/v2/tokens/me` })

  test('answered with 2xx proves the secret, asked once with the new token', async () => {
    const { clock, server, tokens } = await rotationWorld()
    await settled(clock, 0, tokens.rotate({ ...NEW, verify: verify(server) }))
    const [request, ...others] = server.resourceRequests
    expect(others).toEqual([])
    expect(request).toMatchObject({
      method: 'GET',
      path: '/api/v2/tokens/me',
      token: tokens.peek(),
      status: 200,
    })
  })

  test.each([[401], [403]])(
    'answered with %d rejects the secret, and drops its token',
    async (resourceStatus) => {
      const { clock, server, tokens } = await rotationWorld()
      const held = tokens.peek()
      server.set({ resourceStatus })
      const refused = rejection(tokens.rotate({ ...NEW, verify: verify(server) }))
      await clock.advance(5000)
      expect((await refused).code).toBe('ERR_CANDIDATE_REJECTED')
      expect(server.resourceRequests).toHaveLength(3)
      expect(tokens.peek()).toBe(held)
      expect(roles(tokens).old).toBe('active')
    },
  )

  test('is asked for a configured secret that nobody names, as often as that is tried', async () => {
    const knobs = { resourceStatus: 403 }
    const { clock, server, tokens } = await rotationWorld({ knobs, credentials: [OLD, NEW] })
    const error = await rejection(settled(clock, 10_000, tokens.rotate({ verify: verify(server) })))
    expect(error).toMatchObject({
      code: 'ERR_CANDIDATE_REJECTED',
      message: expect.stringContaining('verify.url'),
    })
    await clock.advance(HOUR)
    expect(tokens.status().token.label).toBe('old')
    server.set({ resourceStatus: null })
    await clock.advance(6 * MINUTE)
    expect(tokens.status().token.label).toBe('new')
  })

  test.each([[500], [404], [429]])('answered with %d is asked again', async (resourceStatus) => {
    const { clock, server, tokens } = await rotationWorld()
    const told = event(tokens, 'rotation', ({ change }) => change === 'awaiting-proof')
    server.set({ resourceStatus })
    const rotating = tokens.rotate({ ...NEW, verify: verify(server) })
    await clock.advance(20_000)
    expect((await told).error).toMatchObject({
      code: 'ERR_ENDPOINT',
      message: expect.stringContaining('verify.url'),
    })
    expect(await isPending(clock, rotating)).toBe(true)
    expect(tokens.status().token.label).toBe('old')
    server.set({ resourceStatus: null })
    expect((await settled(clock, MINUTE, rotating)).active).toEqual(named(NEW))
  })

  test('follows no redirect, which would take the token elsewhere', async () => {
    const { clock, tokens, server } = await rotationWorld()
    const elsewhere = verify(server).url
    const redirecting = http.createServer((request, response) => {
      response.writeHead(302, { Location: elsewhere }).end()
    })
    await new Promise((resolve) => redirecting.listen(0, '127.0.0.1', resolve))
    atEnd(() => redirecting.close())
    const url = `http://127.0.0.1:${redirecting.address().port}/me`
    const asked = new Promise((resolve) => redirecting.once('request', resolve))
    const refused = rejection(tokens.rotate({ ...NEW, verify: { url }, deadlineMs: 1000 }))
    await clock.advance(0)
    await asked
    await clock.advance(1000)
    expect((await refused).code).toBe('ERR_ROTATION_TIMEOUT')
    expect(server.resourceRequests).toEqual([])
    expect(tokens.status().generation).toBe(1)
  })
})

describe('the granted scope', () => {
  /** A world whose endpoint grants each secret that scope. */
  function granting(scopes) {
    const answers = Array.from({ length: 10 }, (_, index) => ({ presented }) => {
      const grant = { access_token: `token-${index}`, token_type: 'bearer', expires_in: 3600 }
      return { body: { ...grant, scope: scopes[presented] } }
    })
    return rotationWorld({ answers })
  }

  test.each([
    [{ old: 'read write', new: 'write read' }],
    [{ old: 'read', new: 'read write' }],
    [{ old: 'read' }],
    [{ new: 'read' }],
  ])('of %j is wide enough', async (scopes) => {
    const { clock, tokens } = await granting(scopes)
    expect((await settled(clock, 0, tokens.rotate(NEW))).active).toEqual(named(NEW))
  })

  test('that is narrower than before rejects the secret, whose token is never handed out', async () => {
    const { clock, tokens } = await granting({ old: 'read write', new: 'read' })
    const handedOut = jest.fn()
    tokens.on('token', handedOut)
    const error = await rejection(settled(clock, 5000, tokens.rotate(NEW)))
    expect(error.code).toBe('ERR_CANDIDATE_REJECTED')
    expect(tokens.status()).toMatchObject({ phase: 'stable', token: { serial: 1, label: 'old' } })
    expect(handedOut).not.toHaveBeenCalled()
  })
})

test('a call that the native part does not take is refused, and holds nothing up', async () => {
  const { tokens } = await rotationWorld()
  const refusing = jest.spyOn(require('../lib/native/load'), 'rotate').mockReturnValue(null)
  expect((await rejection(tokens.rotate(NEW))).code).toBe('ERR_INVALID_ARGUMENT')
  refusing.mockRestore()
})
