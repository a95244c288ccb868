'use strict'

const { inspect } = require('node:util')
const { CredentialRejectedError } = require('..')
const { closeAll, event, manager, server } = require('./support/world')

afterEach(closeAll)

const LOCAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-03:00\[America\/Sao_Paulo\]$/
const instant = (name) => ({ [name]: expect.any(Date), [`${name}Local`]: expect.stringMatching(LOCAL) })
const options = {
  timeZone: 'America/Sao_Paulo',
  credentials: { label: 'blue', clientId: 'app', clientSecret: 'secret' },
}
const credential = { label: 'blue', clientId: 'app', expiresAt: null, expiresAtLocal: null }
const { label, clientId } = credential
const source = { entry: 0, label: 'blue', state: 'ok', since: null, sinceLocal: null }

/** What `status()` has in every state. */
const status = (changes) => ({
  name: undefined,
  timeZone: 'America/Sao_Paulo',
  closed: false,
  phase: 'starting',
  generation: null,
  token: null,
  credentials: [],
  sources: [],
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
  const pending = { entry: 0, state: 'pending', since: null, sinceLocal: null }
  expect(tokens.status()).toEqual(status({ sources: [pending] }))
  const message =
    'No token is held: getToken() waits or rejects. The source of credentials[0] has not been read yet.'
  const problem = { code: 'no-token', message, ...instant('since'), affectsTokens: true }
  expect(tokens.health()).toEqual({
    live: true,
    ready: false,
    degraded: true,
    reasons: [expect.stringMatching(/^No token is held: .* Tokens are affected\. Since \S+\.$/)],
    problems: [problem],
    tokenRunwayMs: 0,
  })
})

test('while the first request is under way it is refreshing', async () => {
  const tokens = manager(await server({ latencyMs: 60_000 }), options)
  expect(tokens.status()).toEqual(
    status({
      credentials: [{ id: null, ...credential, state: 'unknown', role: 'unknown' }],
      sources: [source],
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
        credentialId: null,
        label,
        clientId,
      },
      sources: [source],
      credentials: [{ id: null, ...credential, state: 'accepted', role: 'active' }],
      ...instant('nextRefreshAt'),
    }),
  )
  expect(tokens.health()).toEqual({
    live: true,
    ready: true,
    degraded: false,
    reasons: [],
    problems: [],
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
  const { problems, reasons, ...health } = tokens.health()
  expect(health).toEqual({ live: true, ready: false, degraded: true, tokenRunwayMs: 0 })
  expect(problems.map(({ code, affectsTokens }) => [code, affectsTokens])).toEqual([
    ['no-token', true],
    ['refresh-failing', true],
    ['credential-rejected', false],
  ])
  expect(problems[1].message).toContain(lastError.error.message)
  // Whoever is called at night knows which one, whose it is, and what to do.
  expect(problems[2].message).toMatch(/"blue" \(client id app, id [0-9a-f]{16}\)\. Replace it/)
  for (const [i, problem] of problems.entries()) {
    expect(problem).toMatchObject(instant('since'))
    expect(reasons[i]).toContain(problem.message)
    expect(reasons[i]).toContain(problem.sinceLocal)
  }
})

test('a closed manager knows nothing and says that it is closed', async () => {
  const tokens = manager(await server(), options)
  await tokens.ready()
  await tokens.close()
  expect(tokens.status()).toEqual(status({ closed: true, phase: null, generation: null }))
  const reasons = ['This TokenManager is closed.']
  const health = { live: true, ready: false, degraded: true, reasons, problems: [], tokenRunwayMs: 0 }
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
  expect(printed[0]).toMatch(
    /^TokenManager \{\s+name: 'printed',\s+closed: false,\s+live: true,\s+ready: true,/,
  )
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
