'use strict'

const { inspect } = require('node:util')

const fc = require('fast-check')

const { genesysCloud, oauth2, pagerDuty } = require('../lib/options/provider')
const { envFile, secretFile } = require('../lib/options/persist')
const { fromEnv, fromEnvFile, fromFile } = require('../lib/options/sources')
const { parse } = require('./support/seam')

const SECRET = 'hunter2+Zx9/secret'
const RUNS = Number(process.env.FC_RUNS ?? 300)

const garbage = fc.oneof(
  fc.anything({
    maxDepth: 2,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
  }),
  fc.constantFrom(
    undefined,
    null,
    '',
    0,
    -0,
    NaN,
    1e300,
    Symbol('x'),
    () => {},
    /x/,
    '__proto__',
    '\u0000',
    '\ud800',
  ),
)

/** Mostly what belongs there, else anything. */
const mostly = (...good) =>
  fc.oneof({ weight: 3, arbitrary: fc.oneof(...good) }, { weight: 1, arbitrary: garbage })

/** A secret, whole or in some disguise, where one belongs. */
const secret = fc.oneof(
  { weight: 4, arbitrary: fc.constant(SECRET) },
  fc.constantFrom(
    `${SECRET}\n`,
    `\u0000${SECRET}`,
    `${SECRET}\u200b`,
    ` ${SECRET}`,
    [SECRET],
    { value: SECRET },
    { [Symbol.toPrimitive]: () => SECRET },
  ),
  garbage,
)

const record = (shape) =>
  fc
    .tuple(
      fc.record(shape, { requiredKeys: [] }),
      fc.dictionary(fc.string({ maxLength: 8 }), fc.constant(SECRET), { maxKeys: 1 }),
    )
    .map(([known, unknown]) => ({ ...unknown, ...known }))

const text = fc.string({ maxLength: 12 })
const number = fc.oneof(fc.integer(), fc.double(), fc.integer({ min: 1, max: 60_000 }))

const providerOptions = {
  clientAuth: mostly(fc.constantFrom('basic', 'basic-raw', 'body', SECRET)),
  scope: mostly(text),
  audience: mostly(text),
  resource: mostly(fc.constantFrom('urn:a', SECRET), fc.array(text, { maxLength: 2 })),
  params: mostly(
    fc.dictionary(fc.oneof(text, fc.constant('client_secret')), fc.constantFrom(SECRET, 7, 'x'), {
      maxKeys: 2,
    }),
  ),
  defaultLifetimeMs: mostly(number),
  propagationMs: mostly(number),
  ignoreExpiresIn: mostly(fc.boolean()),
  treatAsBearer: mostly(fc.boolean()),
  rejectedErrors: mostly(fc.array(fc.oneof(text, secret), { maxLength: 3 }), fc.constant(SECRET)),
  userAgent: mostly(text, fc.constantFrom('acme/1.2', `acme ${SECRET}\n`)),
  tls: mostly(
    record({
      ca: mostly(fc.constant([`-----BEGIN CERTIFICATE-----${SECRET}`])),
      cert: mostly(fc.constant('-----BEGIN CERTIFICATE-----')),
      key: fc.oneof(
        secret,
        fc.constant(`-----BEGIN PRIVATE KEY-----${SECRET}`),
        fc.constant(Buffer.from(SECRET)),
      ),
    }),
  ),
  proxy: mostly(
    fc.constantFrom(
      false,
      'proxy:1',
      `http://u:${SECRET}@proxy`,
      `socks5://u:${SECRET}@proxy`,
      `http://${SECRET}@ :x`,
    ),
  ),
  allowInsecureHttp: mostly(fc.boolean()),
}

const provider = mostly(
  record({
    ...providerOptions,
    tokenUrl: mostly(
      fc.constantFrom(
        'https://idp.example/',
        'http://idp.example',
        `https://u:${SECRET}@idp.example`,
        `u:${SECRET}@idp`,
        SECRET,
      ),
      fc.webUrl(),
    ),
  }).map(oauth2),
  record({
    ...providerOptions,
    region: mostly(fc.constantFrom('us_east_1', 'mars', SECRET)),
    host: mostly(fc.domain(), fc.webUrl(), fc.constant(SECRET)),
  }).map(genesysCloud),
  record(providerOptions).map(pagerDuty),
  garbage.map(oauth2),
)

const source = fc.constantFrom(
  fromEnv('ID'),
  fromEnv('NONE'),
  fromEnv('ID', 'SECRET'),
  fromEnv('BAD'),
  fromFile('/x'),
  fromEnvFile('/x', 'SECRET'),
  fromEnvFile('/x', { clientId: 'ID', clientSecret: 'SECRET' }),
  async () => SECRET,
)
const entry = mostly(
  record({
    label: mostly(text),
    clientId: mostly(text, source),
    clientSecret: fc.oneof(secret, source),
    optional: mostly(fc.boolean()),
    expiresAt: mostly(fc.date(), fc.constantFrom('2027-01-31T00:00:00Z', 1_800_000_000_000, SECRET)),
    persist: mostly(
      fc.constantFrom(
        async () => SECRET,
        secretFile('/x'),
        envFile('/x', { clientId: 'ID', clientSecret: 'SECRET' }),
        envFile('/x', { clientSecret: 'SECRET' }),
        envFile('/no-such-directory/x', { clientSecret: 'SECRET' }),
        false,
        SECRET,
      ),
    ),
  }),
  source,
  fc.constant(SECRET),
)

const options = mostly(
  record({
    name: mostly(text),
    provider,
    credentials: mostly(entry, fc.array(entry, { maxLength: 3 })),
    refreshBeforeMs: mostly(number),
    jitterRatio: mostly(fc.double({ min: 0, max: 1 })),
    expiryMarginMs: mostly(number),
    maxTokenAgeMs: mostly(number),
    minRunwayMs: mostly(number),
    acquireTimeoutMs: mostly(number),
    requestTimeoutMs: mostly(number),
    sourcePollMs: mostly(number),
    overlapMs: mostly(number),
    timeZone: mostly(fc.constantFrom('UTC', 'Europe/Berlin', 'Europe/Berlim', SECRET)),
    strict: mostly(fc.boolean()),
  }),
  record({
    provider: fc.constant(oauth2({ tokenUrl: 'https://idp.example' })),
    credentials: fc.constant({ clientId: 'a', clientSecret: SECRET }),
  }),
)

const environment = record({
  ID: fc.constantFrom('app', '', 'a:b'),
  SECRET: fc.constant(SECRET),
  BAD: fc.constantFrom(`${SECRET}\u0007`, `\ufeff${SECRET}`, `${SECRET}\u00a0`),
  HTTPS_PROXY: fc.constantFrom(
    '',
    'proxy:1',
    `http://u:${SECRET}@proxy`,
    `socks5://u:${SECRET}@proxy`,
    `${SECRET} `,
  ),
})

function outcome(given, env) {
  try {
    return { accepted: parse(given, { env }) }
  } catch (error) {
    return { error }
  }
}

test('whatever is given, options are accepted or refused with ERR_INVALID_OPTION, and no secret is repeated', () => {
  const counts = { accepted: 0, refused: 0 }
  fc.assert(
    fc.property(options, environment, (given, env) => {
      const { accepted, error } = outcome(given, env)
      if (accepted !== undefined) {
        counts.accepted++
        expect(JSON.parse(JSON.stringify(accepted.native))).toEqual(accepted.native)
        return
      }
      counts.refused++
      if (error.code !== 'ERR_INVALID_OPTION') throw error
      const shown = [
        error.message,
        error.stack,
        inspect(error, { depth: 9, showHidden: true }),
        JSON.stringify(error),
      ]
      if (shown.some((text) => text.includes(SECRET))) throw new Error('The secret is repeated.')
      if (!error.problems.every(({ option, message }) => option !== '' && /[.?]$/.test(message))) {
        throw new Error('A problem is not a sentence.')
      }
    }),
    { numRuns: RUNS },
  )
  if (process.env.FC_RUNS) process.stdout.write(`${JSON.stringify(counts)}\n`)
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(RUNS / 100)
}, 3_600_000)
