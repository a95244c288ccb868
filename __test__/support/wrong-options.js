'use strict'

const rotor = require('../..')

const {
  fromEnv,
  fromFile,
  fromDirectory,
  fromEnvFile,
  envFile,
  secretFile,
  genesysCloud,
  oauth2,
  pagerDuty,
} = rotor

const TOP = [
  ...[
    'provider',
    'credentials',
    'refreshBeforeMs',
    'jitterRatio',
    'expiryMarginMs',
    'maxTokenAgeMs',
    'minRunwayMs',
  ],
  ...['acquireTimeoutMs', 'requestTimeoutMs', 'sourcePollMs', 'overlapMs', 'timeZone', 'strict'],
  'clientSecret',
]
const PROVIDER = [
  ...['tokenUrl', 'clientAuth', 'resource', 'params', 'defaultLifetimeMs', 'propagationMs', 'tls', 'proxy'],
  ...['allowInsecureHttp', 'clientSecret', 'ignoreExpiresIn', 'treatAsBearer', 'rejectedErrors'],
]

/** Every option with the secret where it does not belong: `[where, () => options]`. */
function wrongOptions({ secret, proxyPassword, cert }) {
  const tokenUrl = 'https://idp.example/token'
  const good = {
    provider: oauth2({ tokenUrl, proxy: false }),
    credentials: { clientId: 'app', clientSecret: secret },
  }
  const disguised = { plain: secret, list: [secret], member: { value: secret }, bytes: Buffer.from(secret) }
  const cases = [['no options', () => secret]]
  const add = (where, options) => cases.push([where, () => ({ ...good, ...options() })])
  const provider = (where, options) =>
    add(`provider ${where}`, () => ({ provider: oauth2({ tokenUrl, proxy: false, ...options }) }))
  const credentials = (where, make) => add(`credentials ${where}`, () => ({ credentials: make() }))

  for (const [shape, value] of Object.entries(disguised)) {
    for (const option of TOP) add(`${option}: ${shape}`, () => ({ [option]: value }))
    for (const option of PROVIDER) {
      // These are in order: the name of a proxy, a parameter called value, and a code of an error.
      if (['proxy: plain', 'params: member', 'rejectedErrors: list'].includes(`${option}: ${shape}`)) continue
      provider(`${option}: ${shape}`, { [option]: value })
    }
    for (const option of ['ca', 'cert', 'key'])
      provider(`tls.${option}: ${shape}`, { tls: { [option]: value } })
    provider(`params: ${shape}`, { params: { client_secret: value } })
    provider(`scope: ${shape}`, { scope: shape === 'plain' ? `${secret}\n` : value })
    for (const option of ['region', 'host']) {
      add(`genesys ${option}: ${shape}`, () => ({ provider: genesysCloud({ [option]: value }) }))
    }
    add(`pagerDuty: ${shape}`, () => ({ provider: pagerDuty({ clientSecret: value }) }))
    if (shape !== 'plain') credentials(`secret: ${shape}`, () => ({ clientId: 'app', clientSecret: value }))
    for (const option of ['expiresAt', 'persist']) {
      credentials(`${option}: ${shape}`, () => ({ ...good.credentials, [option]: value }))
    }
    for (const option of ['clientId', 'label', 'optional']) {
      const wrong = shape === 'plain' && option !== 'optional' ? `${secret}\u0007` : value
      credentials(`${option}: ${shape}`, () => ({ ...good.credentials, [option]: wrong }))
    }
  }
  const pem = (label, text) => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`
  provider('key that is none', {
    tls: { cert, key: pem('PRIVATE KEY', Buffer.from(secret).toString('base64')) },
  })
  provider('key as it is', { tls: { cert, key: pem('PRIVATE KEY', secret) } })
  provider('certificate that is none', { tls: { ca: pem('CERTIFICATE', secret) } })
  provider('user in tokenUrl', { tokenUrl: `https://app:${encodeURIComponent(secret)}@idp.example` })
  provider('fragment in tokenUrl', { tokenUrl: `https://idp.example/#${encodeURIComponent(secret)}` })
  provider('query in tokenUrl', { tokenUrl: `ftp://idp.example/?secret=${encodeURIComponent(secret)}` })
  provider('socks proxy', { proxy: `socks5://me:${encodeURIComponent(proxyPassword)}@proxy.example` })
  provider('broken proxy', { proxy: `http://me:${proxyPassword}@proxy.example` })
  credentials('pair', () => `app:${secret}`)
  credentials('control character', () => ({ clientId: 'app', clientSecret: `${secret}\n` }))
  credentials('broken Unicode', () => ({ clientId: 'app', clientSecret: `${secret}\ud800` }))
  credentials('fromEnv', () => fromEnv('APP_ID', secret))
  credentials('fromEnv of values', () => fromEnv('app', `${secret}=`))
  credentials('fromFile', () => fromFile(`${secret}\0`))
  credentials('fromDirectory', () => fromDirectory(secret, { clientId: 'a', clientSecret: `${secret}/` }))
  credentials('fromEnvFile', () => fromEnvFile('.env', `${secret}=`))
  credentials('fromEnvFile of values', () =>
    fromEnvFile('.env', { clientId: 'app', clientSecret: `${secret}=` }),
  )
  credentials('invisible character', () => ({ clientId: 'app', clientSecret: `${secret}\u200b` }))
  credentials('envFile', () => envFile('.env', { clientId: 'ID', clientSecret: `${secret}=` }))
  credentials('secretFile', () => secretFile(`${secret}\0`))
  const withVariable = (name, value, options) => () => {
    process.env[name] = value
    setImmediate(() => delete process.env[name])
    return options()
  }
  add(
    'variable',
    withVariable('ROTOR_SECRET', `${secret}\u0007`, () => ({ credentials: fromEnv('HOME', 'ROTOR_SECRET') })),
  )
  add(
    'variable with an invisible character',
    withVariable('ROTOR_SECRET', `\ufeff${secret}`, () => ({ credentials: fromEnv('HOME', 'ROTOR_SECRET') })),
  )
  const socks = `socks5://me:${encodeURIComponent(proxyPassword)}@proxy.example`
  add(
    'proxy variable',
    withVariable('ALL_PROXY', socks, () => ({ provider: oauth2({ tokenUrl }) })),
  )
  return cases
}

module.exports = { wrongOptions }
