'use strict'

const fs = require('node:fs')
const path = require('node:path')

const { fromFile, secretFile } = require('..')
const { closeAll, rejection, virtualWorld } = require('./support/world')
const { temporaryDirectory, temporaryFile } = require('./support/changing')
const { HOUR, MINUTE, NEW, OLD, SECOND, rotationWorld, settled } = require('./support/rotations')

afterEach(closeAll)

const DAY = 24 * HOUR
const failure = (code) => Object.assign(new Error('hunter2'), { code })
const codes = (tokens) => tokens.health().problems.map(({ code }) => code)

/** The problem of this code. It has to be told in a sentence, with since when. */
function problem(tokens, code) {
  const { degraded, reasons, problems } = tokens.health()
  const index = problems.findIndex((one) => one.code === code)
  if (index < 0) throw new Error(`no ${code} among ${problems.map((one) => one.code)}`)
  const found = problems[index]
  expect(degraded).toBe(true)
  expect(found.message).toMatch(/\.$/)
  expect(reasons[index]).toContain(found.message)
  expect(reasons[index]).toContain(found.sinceLocal)
  expect(found.sinceLocal).toMatch(/-03:00\[America\/Sao_Paulo\]$/)
  return { ...found, since: found.since.getTime() }
}

const ID = 'id [0-9a-f]{16}'
const world = (options) => rotationWorld({ timeZone: 'America/Sao_Paulo', ...options })

test('while all is well there are no problems', async () => {
  const { tokens } = await world()
  expect(tokens.health()).toEqual({
    live: true,
    ready: true,
    degraded: false,
    reasons: [],
    problems: [],
    tokenRunwayMs: expect.any(Number),
  })
})

test('a file that has gone is told with its path, and until it is back', async () => {
  const file = temporaryFile('old')
  const { clock, tokens } = await world({ credentials: { ...OLD, clientSecret: fromFile(file) } })
  fs.renameSync(file, `${file}.away`)
  await clock.advance(10 * SECOND)
  const found = problem(tokens, 'source-unreadable')
  expect(found).toMatchObject({ since: clock.now(), affectsTokens: false })
  expect(found.message).toContain(file)
  expect(found.message).toContain('credentials[0] ("old")')
  expect(found.message).toContain('stays in use, but would be missing after a restart')
  expect(tokens.status().sources).toMatchObject([{ entry: 0, label: 'old', state: 'unreadable' }])
  await clock.advance(10 * SECOND)
  expect(problem(tokens, 'source-unreadable').since).toBe(found.since)
  fs.renameSync(`${file}.away`, file)
  await clock.advance(10 * SECOND)
  expect(tokens.health().problems).toEqual([])
  expect(tokens.status().sources).toMatchObject([{ state: 'ok', since: null }])
})

test('an empty file is told, too', async () => {
  const file = temporaryFile('old')
  const { clock, tokens } = await world({ credentials: { ...OLD, clientSecret: fromFile(file) } })
  fs.writeFileSync(file, '')
  await clock.advance(10 * SECOND)
  expect(problem(tokens, 'source-empty').message).toContain(file)
  fs.writeFileSync(file, 'old')
  await clock.advance(10 * SECOND)
  expect(tokens.health().problems).toEqual([])
})

test('a persist that fails is told with its reason, and until it has succeeded', async () => {
  const directory = temporaryDirectory()
  const file = path.join(directory, 'mount', 'secret')
  fs.mkdirSync(path.dirname(file))
  const { clock, tokens } = await world({ credentials: { ...OLD, persist: secretFile(file) } })
  fs.rmdirSync(path.dirname(file))
  const rotation = tokens.rotate(NEW)
  await clock.advance(20 * SECOND)
  expect(problem(tokens, 'persist-failing').message).toMatch(
    /persist of credentials\[0\] \("old"\) failed: .*directory of .* does not exist.*tried again every 10 s/s,
  )
  expect(problem(tokens, 'awaiting-custody').message).toMatch(/accepted, but it has no durable copy/)
  fs.mkdirSync(path.dirname(file))
  await clock.advance(10 * SECOND)
  await rotation
  expect(tokens.health().problems).toEqual([])
})

test('a persist that is impossible is told with what to do, and so is what it leaves', async () => {
  const persist = () => Promise.reject(failure('EROFS'))
  const { clock, tokens } = await world({ credentials: { ...OLD, persist } })
  await settled(clock, 0, tokens.rotate(NEW))
  expect(problem(tokens, 'persist-impossible').message).toMatch(/EROFS.*write the credential there yourself/)
  expect(problem(tokens, 'not-persisted').message).toMatch(
    new RegExp(`credential "new" \\(client id app, ${ID}\\) is active, but it has no durable copy`),
  )
  expect(JSON.stringify(tokens.health())).not.toContain('hunter2')
})

test('a secret that nothing keeps is told until a source yields it', async () => {
  const file = temporaryFile('old')
  const { clock, tokens } = await world({ credentials: { ...OLD, clientSecret: fromFile(file) } })
  await settled(clock, 0, tokens.rotate({ ...NEW }))
  expect(codes(tokens)).toEqual(['not-persisted'])
  fs.writeFileSync(file, 'new')
  await clock.advance(10 * SECOND)
  expect(tokens.health().problems).toEqual([])
})

test('a file that has a newer secret already, which waits for its turn, is no problem', async () => {
  const file = temporaryFile('old')
  const { clock, tokens } = await world({ credentials: { ...OLD, clientSecret: fromFile(file) } })
  for (const secret of ['new', 'other']) {
    fs.writeFileSync(file, secret)
    await clock.advance(10 * SECOND)
    expect(tokens.health().problems).toEqual([])
  }
  const roles = tokens.status().credentials.map(({ role }) => role)
  expect(roles.sort()).toEqual(['active', 'previous', 'waiting'])
})

test('the end of a secret is told a day before, and after it', async () => {
  const expiresAt = Date.UTC(2026, 0, 3)
  const { clock, server, tokens } = await world({ credentials: { ...OLD, expiresAt } })
  await clock.advance(DAY - 1)
  expect(tokens.health().problems).toEqual([])
  await clock.advance(1)
  expect(problem(tokens, 'credential-expiring')).toMatchObject({
    since: expiresAt - DAY,
    message: expect.stringMatching(new RegExp(`"old" \\(client id app, ${ID}\\) expires .* within a day`)),
  })
  await clock.advance(DAY)
  expect(problem(tokens, 'credential-expired').since).toBe(expiresAt)
  expect(codes(tokens)).not.toContain('credential-expiring')
  const rotation = await settled(clock, 0, tokens.rotate(NEW))
  // Nobody is to replace what was just replaced, dead or expired as it may be.
  expect(codes(tokens)).toEqual(['not-persisted'])
  server.setSecrets('app', ['new'])
  await settled(clock, MINUTE, rejection(rotation.rollback()))
  expect(tokens.status().credentials.find(({ role }) => role === 'previous').state).toBe('rejected')
  expect(codes(tokens)).toEqual(['not-persisted'])
  await settled(clock, 0, rotation.retireNow())
  expect(codes(tokens)).toEqual(['not-persisted'])
})

test('a resource that refuses every token is told, until one is used for a while', async () => {
  const { clock, tokens } = await world()
  for (let times = 0; times < 6; times++) {
    tokens.invalidate(tokens.peek())
    await clock.advance(2 * SECOND)
  }
  expect(problem(tokens, 'tokens-refused')).toMatchObject({
    affectsTokens: false,
    message: expect.stringMatching(/answers 401 to every token.*audience, scope or issuer/),
  })
  await clock.advance(DAY)
  expect(tokens.health().problems).toEqual([])
})

test('a dead secret is told by its name, and a retired one that is dead is no problem', async () => {
  const { clock, server, tokens } = await world({ credentials: [OLD, { ...NEW, optional: true }] })
  server.setSecrets('app', ['new'])
  tokens.invalidate(tokens.peek())
  await clock.advance(SECOND)
  expect(problem(tokens, 'credential-rejected').message).toMatch(
    new RegExp(`rejects the credential "old" \\(client id app, ${ID}\\)\\. Replace it`),
  )
  expect(codes(tokens)).toEqual(['credential-rejected'])

  const other = await world()
  await settled(other.clock, 0, other.tokens.rotate(NEW))
  await settled(other.clock, 0, other.tokens.rotation().retireNow())
  other.server.setSecrets('app', ['new'])
  await other.clock.advance(DAY)
  expect(codes(other.tokens)).toEqual(['not-persisted'])
})

test('an outage is told with since when, though a token is held, and with its end it is over', async () => {
  const { clock, server, tokens } = await world({ knobs: { lifetimeMs: HOUR } })
  server.set({ outage: 503 })
  await clock.advance(55 * MINUTE)
  const early = problem(tokens, 'refresh-failing')
  expect(early).toMatchObject({ affectsTokens: false, message: expect.stringContaining('503') })
  await clock.advance(10 * MINUTE)
  expect(codes(tokens)).toEqual(['no-token', 'refresh-failing'])
  expect(problem(tokens, 'refresh-failing')).toMatchObject({ since: early.since, affectsTokens: true })
  expect(problem(tokens, 'no-token').since).toBeGreaterThan(early.since)
  // Nobody restarts for this.
  expect(tokens.health()).toMatchObject({ live: true, ready: false, tokenRunwayMs: 0 })
  server.set({ outage: false })
  await clock.advance(MINUTE)
  expect(tokens.health().problems).toEqual([])
})

test('that no credential is accepted any more is told while the token still serves', async () => {
  const { clock, server, tokens } = await world({ knobs: { lifetimeMs: HOUR } })
  server.setSecrets('app', [])
  await clock.advance(50 * MINUTE)
  expect(codes(tokens)).toEqual(expect.arrayContaining(['degraded', 'credential-rejected']))
  expect(problem(tokens, 'degraded')).toMatchObject({ affectsTokens: false })
  expect(tokens.health()).toMatchObject({ live: true, ready: true })
  server.setSecrets('app', ['old'])
  await clock.advance(MINUTE)
  expect(tokens.health().problems).toEqual([])
})

test('a rotation that waits for its proof is told with the endpoint’s answer, one that has just begun is not', async () => {
  const { clock, server, tokens } = await world()
  server.set({ latencyMs: 5 * SECOND, outage: 503 })
  const rotation = tokens.rotate(NEW)
  await clock.advance(SECOND)
  expect(tokens.health().problems).toEqual([])
  expect(tokens.status().rotation.waitingFor).toMatchObject([
    { code: 'proof', message: expect.stringMatching(/A token request with credential "new".* is under way/) },
  ])
  await clock.advance(5 * SECOND)
  expect(problem(tokens, 'awaiting-proof').message).toMatch(/has not accepted credential "new".* yet.*503/)
  server.set({ latencyMs: 0, outage: false })
  await clock.advance(MINUTE)
  await rotation
  expect(codes(tokens)).toEqual(['not-persisted'])
})

test('an overlap that goes on as planned is no problem, and one that is held open by a persist is', async () => {
  const file = path.join(temporaryDirectory(), 'mount', 'secret')
  fs.mkdirSync(path.dirname(file))
  const { clock, server, tokens } = await world({ credentials: { ...OLD, persist: secretFile(file) } })
  fs.rmdirSync(path.dirname(file))
  const rotation = tokens.rotate(NEW)
  server.setSecrets('app', ['new'])
  await clock.advance(2 * MINUTE)
  expect((await rotation).phase).toBe('overlap')
  const waiting = () => tokens.status().rotation.waitingFor.map(({ code }) => code)
  expect(waiting()).toEqual(expect.arrayContaining(['time', 'sinks']))
  expect(codes(tokens)).not.toContain('awaiting-sinks')
  await clock.advance(2 * HOUR)
  expect(problem(tokens, 'awaiting-sinks').message).toMatch(
    /stays until the active one is persisted.*does not exist/s,
  )
  fs.mkdirSync(path.dirname(file))
  await clock.advance(MINUTE)
  expect(tokens.health().problems).toEqual([])
  expect(tokens.status().phase).toBe('stable')
})

describe('status() is never behind getToken() and ready()', () => {
  const SECRET = { label: 'old', clientId: 'app', clientSecret: 'secret' }

  test('the token, its source and the last answer are there with the first token', async () => {
    const { clock, open } = await virtualWorld()
    const tokens = open({ credentials: SECRET })
    const ready = tokens.ready().then(() => tokens.status())
    await clock.advance(0)
    expect(await ready).toMatchObject({
      token: { serial: 1, label: 'old' },
      sources: [{ state: 'ok' }],
      credentials: [{ label: 'old', state: 'accepted' }],
      lastError: null,
    })
  })

  test('and so is what the endpoint said, when it rejects', async () => {
    const { clock, open } = await virtualWorld({ clients: { app: 'other' } })
    const tokens = open({ credentials: OLD })
    const told = rejection(tokens.getToken()).then(() => tokens.status())
    await clock.advance(5 * SECOND)
    expect(await told).toMatchObject({
      token: null,
      credentials: [{ label: 'old', state: 'rejected' }],
      lastError: { error: { code: 'ERR_CREDENTIAL_REJECTED' } },
    })
  })
})
