'use strict'

const { spawnSync } = require('node:child_process')
const path = require('node:path')

const native = require('../lib/native/load')
const { createClock } = require('../lib/testing')
const { differences, intlClock, nativeClock, transitions } = require('./support/local-clocks')
const { MINUTE, NEW, OLD, rotationWorld } = require('./support/rotations')
const { LINKS } = require('./support/time-zone-links')
const { closeAll, event, manager, server } = require('./support/world')

const FROM = Date.UTC(2020, 0, 1)
const TO = Date.UTC(2031, 0, 1)
const ZONES = [...new Set([...Intl.supportedValuesOf('timeZone'), ...LINKS])]

/** The hour after each of these instants. */
const hourFrom = (...starts) =>
  starts.map((start) => [
    start,
    new Date(Date.parse(start) + 3_600_000).toISOString().replace(':00.000Z', 'Z'),
  ])

/**
 * Where the native part, whose data are those of tzdata 2025b (chrono-tz 0.10.4), is behind newer
 * data of Node's.
 *
 * As of 2026-11-24, with Node 20 (2025c), 24 and 26 (2026c). An entry counts from the tzdata
 * release that made the change, and goes when chrono-tz has it.
 */
const BEHIND = [
  {
    since: '2026a',
    reason: 'Moldova has changed its clocks with the European Union since 2022, an hour later than was known',
    zones: ['Europe/Chisinau', 'Europe/Tiraspol'],
    stretches: [
      ...hourFrom('2022-03-27T00:00Z', '2022-10-30T00:00Z', '2023-03-26T00:00Z', '2023-10-29T00:00Z'),
      ...hourFrom('2024-03-31T00:00Z', '2024-10-27T00:00Z', '2025-03-30T00:00Z', '2025-10-26T00:00Z'),
      ...hourFrom('2026-03-29T00:00Z', '2026-10-25T00:00Z', '2027-03-28T00:00Z', '2027-10-31T00:00Z'),
      ...hourFrom('2028-03-26T00:00Z', '2028-10-29T00:00Z', '2029-03-25T00:00Z', '2029-10-28T00:00Z'),
      ...hourFrom('2030-03-31T00:00Z', '2030-10-27T00:00Z'),
    ],
  },
  {
    since: '2026b',
    reason: 'British Columbia stays on -07 and no longer falls back',
    zones: ['America/Vancouver', 'Canada/Pacific'],
    stretches: [
      ['2026-11-01T09:00Z', '2027-03-14T10:00Z'],
      ['2027-11-07T09:00Z', '2028-03-12T10:00Z'],
      ['2028-11-05T09:00Z', '2029-03-11T10:00Z'],
      ['2029-11-04T09:00Z', '2030-03-10T10:00Z'],
      ['2030-11-03T09:00Z', '2031-01-01T00:00Z'],
    ],
  },
  {
    since: '2026c',
    reason: 'Alberta stays on -06 and no longer falls back',
    zones: ['America/Edmonton', 'America/Yellowknife', 'Canada/Mountain'],
    stretches: [
      ['2026-11-01T08:00Z', '2027-03-14T09:00Z'],
      ['2027-11-07T08:00Z', '2028-03-12T09:00Z'],
      ['2028-11-05T08:00Z', '2029-03-11T09:00Z'],
      ['2029-11-04T08:00Z', '2030-03-10T09:00Z'],
      ['2030-11-03T08:00Z', '2031-01-01T00:00Z'],
    ],
  },
  {
    since: '2026c',
    reason: 'Morocco went back to +00 for good on 2026-09-20, and Western Sahara with it',
    zones: ['Africa/Casablanca', 'Africa/El_Aaiun'],
    stretches: [
      ['2026-09-20T01:00Z', '2027-02-07T02:00Z'],
      ['2027-03-14T02:00Z', '2028-01-23T02:00Z'],
      ['2028-03-05T02:00Z', '2029-01-14T02:00Z'],
      ['2029-02-18T02:00Z', '2029-12-30T02:00Z'],
      ['2030-02-10T02:00Z', '2030-12-22T02:00Z'],
    ],
  },
]

/** Zones that Node's data know less of than the native part's, before that tzdata release. */
const AHEAD = [
  { until: '2023d', zones: ['America/Scoresbysund', 'Antarctica/Casey', 'Antarctica/Vostok'] },
  { until: '2024a', zones: ['Asia/Almaty', 'Asia/Gaza', 'Asia/Hebron', 'Asia/Qostanay'] },
  { until: '2025a', zones: ['America/Asuncion'] },
]

afterEach(closeAll)

test('the native part knows every zone that Node lists and every link, in either case of letters', () => {
  expect(ZONES.length).toBeGreaterThan(500)
  expect(ZONES.filter((zone) => !native.isTimeZone(zone))).toEqual([])
  expect(ZONES.filter((zone) => !native.isTimeZone(zone.toLowerCase()))).toEqual([])
  expect(native.formatLocal(0, 'america/sao_paulo')).toBe('1969-12-31T21:00:00-03:00[America/Sao_Paulo]')
})

test('local times are those of Node’s own data, in every zone, around every transition from 2020 to 2030', () => {
  const { tz } = process.versions
  const known = BEHIND.filter(({ since }) => since <= tz).flatMap(({ zones, stretches }) =>
    zones.map((zone) => [zone, stretches]),
  )
  const ahead = AHEAD.filter(({ until }) => tz < until).flatMap(({ zones }) => zones)
  const found = []
  let compared = 0
  for (const zone of ZONES) {
    const result = differences(intlClock(zone), nativeClock(zone), FROM, TO)
    compared += result.compared
    if (result.found.length > 0) found.push([zone, result.found])
  }
  const [older, others] = [true, false].map((isOlder) =>
    found.filter(([zone]) => ahead.includes(zone) === isOlder),
  )
  expect(older.map(([zone]) => zone).sort()).toEqual(ahead.sort())
  expect(new Map(others)).toEqual(new Map(known))
  expect(compared).toBeGreaterThan(ZONES.length * 100)
})

test('the comparison finds every transition to the millisecond, and every stretch that differs', () => {
  const found = transitions(nativeClock('America/New_York'), FROM, TO)
  expect(found).toHaveLength(22)
  expect(found.slice(0, 2)).toEqual([Date.UTC(2020, 2, 8, 7), Date.UTC(2020, 10, 1, 6)])
  const summers = differences(
    intlClock('Australia/Sydney'),
    nativeClock('Australia/Brisbane'),
    FROM,
    TO,
  ).found
  expect(summers).toHaveLength(12)
  expect(summers.slice(0, 2)).toEqual([
    ['2020-01-01T00:00Z', '2020-04-04T16:00Z'],
    ['2020-10-03T16:00Z', '2021-04-03T16:00Z'],
  ])
})

/** The hour in which New York's clocks show the same times twice, as its two beginnings. */
const FOLD = [Date.UTC(2026, 10, 1, 5), Date.UTC(2026, 10, 1, 6)]

test('status and events tell instants in the manager’s zone, and the hour that comes twice with two offsets', async () => {
  const texts = []
  for (const now of FOLD) {
    const clock = createClock({ now })
    const provider = await server({ clock, lifetimeMs: 1_800_000 })
    const tokens = manager(provider, { clock, timeZone: 'America/New_York' })
    const told = event(tokens, 'token')
    await tokens.ready()
    const { timeZone, token, nextRefreshAt, nextRefreshAtLocal } = tokens.status()
    expect(timeZone).toBe('America/New_York')
    const payload = await told
    const pairs = [
      [token.issuedAt, token.issuedAtLocal],
      [token.expiresAt, token.expiresAtLocal],
      [nextRefreshAt, nextRefreshAtLocal],
      [payload.at, payload.atLocal],
      [payload.expiresAt, payload.expiresAtLocal],
      [payload.refreshAt, payload.refreshAtLocal],
    ]
    for (const [date, text] of pairs) {
      expect(text).toBe(`${intlClock('America/New_York')(date.getTime())}[America/New_York]`)
    }
    texts.push(token.expiresAtLocal)
  }
  expect(texts[0]).toMatch(/T01:\d\d:\d\d-04:00\[America\/New_York\]$/)
  expect(texts[1]).toMatch(/T01:\d\d:\d\d-05:00\[America\/New_York\]$/)
})

test('status tells since when a rotation waits, in the manager’s zone', async () => {
  const timeZone = 'America/New_York'
  const persist = () => Promise.reject(new Error('…'))
  const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist }, timeZone })
  tokens.rotate(NEW).catch(() => {})
  await clock.advance(MINUTE)
  const { waitingFor } = tokens.status().rotation
  expect(waitingFor).toMatchObject([{ code: 'custody', since: expect.any(Date) }])
  for (const { since, sinceLocal } of waitingFor) {
    expect(sinceLocal).toBe(`${intlClock(timeZone)(since.getTime())}[${timeZone}]`)
  }
})

test('without the option the zone is the system’s', () => {
  const script = `
    const { TokenManager, oauth2 } = require('.')
    const tokens = new TokenManager({
      provider: oauth2({ tokenUrl: 'http://127.0.0.1:9/' }),
      credentials: { clientId: 'app', clientSecret: 'secret' },
    })
    process.stdout.write(tokens.status().timeZone)
    tokens.close()
  `
  const env = { ...process.env, TZ: 'Asia/Kathmandu' }
  const { stdout } = spawnSync(process.execPath, ['-e', script], { cwd: path.join(__dirname, '..'), env })
  expect(stdout.toString()).toBe(
    new Intl.DateTimeFormat('en', { timeZone: 'Asia/Kathmandu' }).resolvedOptions().timeZone,
  )
})
