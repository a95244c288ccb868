'use strict'

const { inspect } = require('node:util')
const { CredentialRejectedError } = require('..')
const { closeAll, event, manager, server } = require('./support/world')

afterEach(closeAll)

const LOCAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-03:00\[America\/Sao_Paulo\]$/
const ID = /^[0-9a-f]{16}$/
const instant = (name) => ({ [name]: expect.any(Date), [`${name}Local`]: expect.stringMatching(LOCAL) })
const options = {
  timeZone: 'America/Sao_Paulo',
  credentials: { label: 'blue', clientId: 'app', clientSecret: 'secret' },
}
const credential = { label: 'blue', clientId: 'app', expiresAt: null, expiresAtLocal: null }
const { label, clientId } = credential

/** What `status()` has in every state. */
const status = (changes) => ({
  name: undefined,
  timeZone: 'America/Sao_Paulo',
  closed: false,
  phase: 'starting',
  generation: null,
  token: null,
  credentials: [],
  rotation: null,
  refreshing: false,
  nextRefreshAt: null,
  nextRefreshAtLocal: null,
  lastError: null,
  ...changes,
})

test('while the source has not answered there is neither credential nor token', async () => {
  const silent = () => new Promise(() => {})
  const tokens = manager(await server(), { ...options, credentials: silent })
  expect(tokens.status()).toEqual(status())
  expect(tokens.health()).toEqual({
    ready: false,
    degraded: true,
    reasons: ['No token is held.'],
    tokenRunwayMs: 0,
  })
})

test('while the first request is under way it is refreshing', async () => {
  const tokens = manager(await server({ latencyMs: 60_000 }), options)
  expect(tokens.status()).toEqual(
    status({
      credentials: [{ id: expect.stringMatching(ID), ...credential, state: 'unknown', role: 'unknown' }],
      refreshing: true,
    }),
  )
})

test('a token is told with its instants, its credential and what is left of it', async () => {
  const tokens = manager(await server({ lifetimeMs: 3_601_000 }), { ...options, name: 'snapshots' })
  await tokens.ready()
  expect(tokens.status()).toEqual(
    status({
      name: 'snapshots',
      phase: 'stable',
      generation: 1,
      token: {
        serial: 1,
        ...instant('issuedAt'),
        ...instant('expiresAt'),
        credentialId: expect.stringMatching(ID),
        label,
        clientId,
      },
      credentials: [
        { id: tokens.status().token.credentialId, ...credential, state: 'accepted', role: 'active' },
      ],
      ...instant('nextRefreshAt'),
    }),
  )
  expect(tokens.health()).toEqual({
    ready: true,
    degraded: false,
    reasons: [],
    tokenRunwayMs: expect.any(Number),
  })
  expect(tokens.health().tokenRunwayMs).toBeGreaterThan(3_000_000)
  expect(tokens.health().tokenRunwayMs).toBeLessThan(3_600_000)
})

test('a rejected credential is told as the last error and as a reason', async () => {
  const tokens = manager(await server({ clients: {} }), options)
  const failed = await event(tokens, 'refresh-failed')
  const { lastError, ...rest } = tokens.status()
  expect(rest).toMatchObject({ token: null, credentials: [{ ...credential, state: 'rejected' }] })
  expect(lastError).toEqual({ ...instant('at'), error: expect.any(CredentialRejectedError) })
  expect(lastError.error.toJSON()).toEqual(failed.error.toJSON())
  expect(tokens.health()).toEqual({
    ready: false,
    degraded: true,
    reasons: [
      'No token is held.',
      lastError.error.message,
      'The token endpoint rejects 1 of 1 known credentials.',
    ],
    tokenRunwayMs: 0,
  })
})

test('a closed manager knows nothing and says that it is closed', async () => {
  const tokens = manager(await server(), options)
  await tokens.ready()
  await tokens.close()
  expect(tokens.status()).toEqual(status({ closed: true, phase: null, generation: null }))
  const health = { ready: false, degraded: true, reasons: ['This TokenManager is closed.'], tokenRunwayMs: 0 }
  expect(tokens.health()).toEqual(health)
  expect(JSON.parse(JSON.stringify(tokens))).toEqual({ closed: true, ...health })
})

test('printing a manager shows its health, and neither token nor secret', async () => {
  const secret = 'hunter2-secret'
  const provider = await server({ clients: { app: [secret] } })
  const tokens = manager(provider, {
    name: 'printed',
    credentials: { clientId: 'app', clientSecret: secret },
  })
  const token = await tokens.getToken()
  const printed = [inspect(tokens), inspect(tokens, { depth: 9, showHidden: true }), JSON.stringify(tokens)]
  for (const text of [...printed, JSON.stringify(tokens.status()), inspect(tokens.status(), { depth: 9 })]) {
    expect(text).not.toContain(token)
    expect(text).not.toContain(secret)
  }
  expect(printed[0]).toMatch(/^TokenManager \{\s+name: 'printed',\s+closed: false,\s+ready: true,/)
  expect(inspect({ deep: { deeper: tokens } }, { depth: 1 })).toContain('[TokenManager]')
})

test('what a call has changed in a snapshot does not reach the next one', async () => {
  const tokens = manager(await server(), options)
  await tokens.ready()
  const [first, health] = [tokens.status(), tokens.health()]
  first.credentials.length = 0
  first.token.expiresAt.setTime(0)
  health.reasons.push('mine')
  expect(tokens.status().credentials).toHaveLength(1)
  expect(tokens.status().token.expiresAt.getTime()).toBeGreaterThan(0)
  expect(tokens.health().reasons).toEqual([])
})
