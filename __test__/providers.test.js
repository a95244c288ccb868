'use strict'

const { inspect } = require('node:util')

const { genesysCloud, oauth2, pagerDuty } = require('../lib/options/provider')
const { version } = require('../package.json')
const { failure, parse, valid } = require('./support/seam')

const endpoint = (provider, seam) => parse(valid({ provider }), seam).native.endpoint
const problems = (provider) => failure(valid({ provider })).problems
const PRIVATE = '-----BEGIN PRIVATE KEY-----\nhunter2-secret\n-----END PRIVATE KEY-----\n'
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

describe('oauth2', () => {
  test('takes a token URL and has RFC defaults', () => {
    expect(endpoint(oauth2({ tokenUrl: 'https://idp.example/token?tenant=a' }))).toEqual({
      tokenUrl: 'https://idp.example/token?tenant=a',
      clientAuth: 'basic',
      resource: [],
      params: [],
      defaultLifetimeMs: 300_000,
      ignoreExpiresIn: false,
      treatAsBearer: false,
      rejectedErrors: expect.arrayContaining(['invalid_client_id', 'incorrect_client_credentials']),
      propagationMs: 0,
    })
  })

  test('passes on every option', () => {
    const options = {
      clientAuth: 'body',
      scope: 'a b',
      audience: 'https://api.example',
      defaultLifetimeMs: 60_000,
      ignoreExpiresIn: true,
      treatAsBearer: true,
      propagationMs: 5000,
    }
    const given = { ...options, resource: 'urn:one', params: { tenant: 'x', claims: 'a=b&c' } }
    expect(endpoint(oauth2({ tokenUrl: new URL('https://idp.example/token'), ...given }))).toEqual({
      ...options,
      tokenUrl: 'https://idp.example/token',
      resource: ['urn:one'],
      params: [
        ['tenant', 'x'],
        ['claims', 'a=b&c'],
      ],
      rejectedErrors: expect.any(Array),
    })
  })

  test('adds error codes to those that it knows, each once and in one order', () => {
    const known = endpoint(oauth2({ tokenUrl: 'https://idp.example' })).rejectedErrors
    const codes = (rejectedErrors) =>
      endpoint(oauth2({ tokenUrl: 'https://idp.example', rejectedErrors })).rejectedErrors
    expect(codes(['b', 'a'])).toEqual(codes(['a', known[0], 'b', 'a']))
    expect(codes(['no such client'])).toEqual([...known, 'no such client'].sort())
    expect(codes([])).toEqual(known)
    expect(endpoint(genesysCloud({ region: 'us_east_1' })).rejectedErrors).toEqual(['bad.credentials'])
    expect(endpoint(pagerDuty({ scope: 'x' })).rejectedErrors).toEqual([])
  })

  test('sends its name and version, or what userAgent says', () => {
    const said = (userAgent) =>
      parse(valid({ provider: oauth2({ tokenUrl: 'https://idp.example', userAgent }) })).native.transport
        .userAgent
    expect(said(undefined)).toBe(`oauth-rotor/${version}`)
    expect(said('acme/1.2 (ops@acme.example)')).toBe('acme/1.2 (ops@acme.example)')
  })

  test.each(['http://localhost:1/', 'http://127.0.0.1:1/', 'http://[::1]:1/'])(
    '%s needs no TLS',
    (tokenUrl) => {
      expect(endpoint(oauth2({ tokenUrl })).tokenUrl).toBe(tokenUrl)
    },
  )

  test.each([
    'http://idp.example/',
    'http://idp.localhost/',
    'http://localhost.example/',
    'http://127.0.0.1.nip.io/',
  ])('plain http to another machine, as %s, must be asked for', (tokenUrl) => {
    expect(problems(oauth2({ tokenUrl }))).toEqual([
      { option: 'provider.tokenUrl', message: expect.stringMatching(/https.*allowInsecureHttp: true/) },
    ])
    expect(endpoint(oauth2({ tokenUrl, allowInsecureHttp: true })).tokenUrl).toBe(tokenUrl)
  })

  test.each([
    ['tokenUrl', undefined, /required/],
    ['tokenUrl', 'idp.example/token', /absolute https URL, got "idp\.example\/token"/],
    ['tokenUrl', 'ftp://idp.example', /absolute https URL/],
    ['tokenUrl', 7, /absolute https URL, got 7/],
    ['tokenUrl', 'https://idp.example/#x', /fragment/],
    ['tokenUrl', 'https://app:hunter2-secret@idp.example', /user name or password/],
    ['tokenUrl', 'app:hunter2-secret@idp.example', /https URL/],
    ['clientAuth', 'Basic', /'basic', 'basic-raw' or 'body', got "Basic". Did you mean 'basic'/],
    ['scope', ['a', 'b'], /join\(' '\)/],
    ['scope', '', /empty string/],
    ['scope', 'a\nb', /control character/],
    ['audience', 1, /takes a string/],
    ['resource', 'api', /absolute URI/],
    ['resource', 'https://api.example/#a', /without a fragment/],
    ['params', 'a=b', /object of strings, got a string/],
    ['defaultLifetimeMs', 999, /from 1,000 to 38,880,000,000, got 999/],
    ['propagationMs', -1, /from 0 to 3,600,000, got -1/],
    ['tls', 'x', /takes an object/],
    ['allowInsecureHttp', 'yes', /true or false, got a string/],
    ['ignoreExpiresIn', 1, /true or false, got 1/],
    ['treatAsBearer', 'BearerToken', /true or false, got a string/],
    ['userAgent', '', /User-Agent.*got an empty string/],
    ['userAgent', 7, /User-Agent.*got a number/],
    ['userAgent', 'a\r\nX: y', /control character/],
    ['userAgent', 'café', /visible ASCII/],
    ['userAgent', ' a', /no blank at its ends/],
    ['userAgent', 'x'.repeat(257), /at most 256 characters, got 257/],
    ['rejectedErrors', 'invalid_client_id', /a list of error codes.*got a string/],
    ['rejectedErrors', { 0: 'a' }, /a list of error codes.*got an object/],
  ])('refuses %s %p', (option, value, message) => {
    const [problem, ...others] = problems(oauth2({ tokenUrl: 'https://idp.example', [option]: value }))
    expect(problem).toEqual({ option: `provider.${option}`, message: expect.stringMatching(message) })
    expect(problem.message).not.toContain('hunter2-secret')
    expect(others).toEqual([])
  })

  test.each([
    'grant_type',
    'client_id',
    'client_secret',
    'client_assertion',
    'client_assertion_type',
    'scope',
    'audience',
    'resource',
  ])('params may not override %s', (name) => {
    const params = { [name]: 'hunter2-secret' }
    const [problem] = problems(oauth2({ tokenUrl: 'https://idp.example', params }))
    expect(problem).toEqual({
      option: `provider.params.${name}`,
      message: expect.stringContaining('cannot be set here'),
    })
    expect(problem.message).not.toContain('hunter2-secret')
  })

  test.each([[''], [7], ['a\nb'], [' a'], ['a: b'], ['é'], ['x'.repeat(129)], [undefined]])(
    'refuses the error code %p',
    (code) => {
      const rejectedErrors = ['invalid_client_id', code]
      const [problem] = problems(oauth2({ tokenUrl: 'https://idp.example', rejectedErrors }))
      expect(problem).toEqual({
        option: 'provider.rejectedErrors[1]',
        message: expect.stringContaining('takes an error code'),
      })
    },
  )

  test('points into lists', () => {
    const resource = ['urn:fine', 'not absolute']
    expect(problems(oauth2({ tokenUrl: 'https://idp.example', resource }))[0].option).toBe(
      'provider.resource[1]',
    )
  })
})

describe('TLS', () => {
  const transport = (tls) =>
    parse(valid({ provider: oauth2({ tokenUrl: 'https://idp.example', tls }) })).native.transport
  const wrong = (tls) => problems(oauth2({ tokenUrl: 'https://idp.example', tls }))

  test('takes PEM as text and as bytes', () => {
    expect(
      transport({
        ca: [CERTIFICATE, Buffer.from(CERTIFICATE)],
        cert: CERTIFICATE,
        key: Buffer.from(PRIVATE),
      }),
    ).toEqual({
      ca: [CERTIFICATE, CERTIFICATE],
      cert: CERTIFICATE,
      key: PRIVATE,
      requestTimeoutMs: 10_000,
      userAgent: `oauth-rotor/${version}`,
    })
    expect(transport({ ca: CERTIFICATE }).ca).toEqual([CERTIFICATE])
    expect(transport(undefined).ca).toEqual([])
  })

  test('certificate and key come together', () => {
    expect(wrong({ cert: CERTIFICATE })).toEqual([
      { option: 'provider.tls.key', message: expect.stringContaining('required') },
    ])
    expect(wrong({ key: PRIVATE })).toEqual([
      { option: 'provider.tls.cert', message: expect.stringContaining('required') },
    ])
  })

  test('a path instead of PEM text gets a hint', () => {
    expect(wrong({ ca: '/etc/ca.pem' })[0].message).toMatch(/PEM text.*fs\.readFileSync\(path\)/)
  })

  test.each([
    ['-----BEGIN ENCRYPTED PRIVATE KEY-----\nhunter2-secret'],
    ['-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nhunter2-secret'],
  ])('an encrypted key is refused and not shown', (key) => {
    const [problem] = wrong({ cert: CERTIFICATE, key })
    expect(problem).toEqual({
      option: 'provider.tls.key',
      message: expect.stringContaining('without a passphrase'),
    })
    expect(problem.message).not.toContain('hunter2-secret')
  })
})

describe('genesysCloud', () => {
  test('asks the login host of a region with raw Basic', () => {
    expect(endpoint(genesysCloud({ region: 'us_east_1' }))).toMatchObject({
      tokenUrl: 'https://login.mypurecloud.com/oauth/token',
      clientAuth: 'basic-raw',
      propagationMs: 10_000,
    })
  })

  test('lets an option override what it presets', () => {
    const changed = { clientAuth: 'basic', propagationMs: 0, scope: 'x' }
    expect(endpoint(genesysCloud({ region: 'us_east_1', ...changed }))).toMatchObject(changed)
  })

  test('says nothing about a host that is right', () => {
    const warn = jest.fn()
    const provider = genesysCloud({ host: 'login.mypurecloud.ie' })
    expect(endpoint(provider, { warn }).tokenUrl).toBe('https://login.mypurecloud.ie/oauth/token')
    expect(warn).not.toHaveBeenCalled()
  })

  test.each(['api.mypurecloud.ie', 'https://api.mypurecloud.ie/', 'https://api.mypurecloud.ie/api/v2'])(
    'corrects %s to the login host and warns',
    (host) => {
      const warn = jest.fn()
      expect(endpoint(genesysCloud({ host }), { warn }).tokenUrl).toBe(
        'https://login.mypurecloud.ie/oauth/token',
      )
      expect(warn).toHaveBeenCalledTimes(1)
      expect(warn).toHaveBeenCalledWith(expect.stringContaining('login.mypurecloud.ie'), {
        type: 'OAuthRotorWarning',
        code: 'OAUTH_ROTOR_API_HOST',
      })
    },
  )

  test('does not warn about options that it refuses', () => {
    const warn = jest.fn()
    failure(valid({ provider: genesysCloud({ host: 'api.mypurecloud.ie' }), name: '' }), { warn })
    expect(warn).not.toHaveBeenCalled()
  })

  test('a server on this machine stands in for it', () => {
    const { tokenUrl, clientAuth } = endpoint(genesysCloud({ host: 'http://127.0.0.1:4000' }))
    expect([tokenUrl, clientAuth]).toEqual(['http://127.0.0.1:4000/oauth/token', 'basic-raw'])
  })

  test.each([
    [undefined, 'provider', /takes an object/],
    [{}, 'provider.region', /required, such as 'us_east_1'/],
    [{ region: 'us_east_1', host: 'login.mypurecloud.com' }, 'provider.host', /cannot be combined/],
    [{ region: 'mars_1' }, 'provider.region', /no such region/],
    [{ region: 5 }, 'provider.region', /takes a string/],
    [{ host: 'http://login.mypurecloud.com' }, 'provider.host', /https/],
    [{ host: '. ' }, 'provider.host', /takes the name of a host/],
    [{ host: 'app:hunter2-secret@login.mypurecloud.com' }, 'provider.host', /takes the name of a host/],
    [
      { host: 'login.mypurecloud.com/oauth/token' },
      'provider.host',
      /takes the name of a host, .* got a string of 33 characters/,
    ],
    [{ host: 'login.mypurecloud.com?x=' }, 'provider.host', /takes the name of a host/],
    [{ host: 'https://a:hunter2-secret@login.mypurecloud.com' }, 'provider.host', /user name or password/],
    [{ region: 'us_east_1', tokenUrl: 'https://idp.example' }, 'provider.tokenUrl', /not a known option/],
  ])('refuses %j', (options, option, message) => {
    const [problem] = problems(genesysCloud(options))
    expect(problem).toEqual({ option, message: expect.stringMatching(message) })
    expect(problem.message).not.toContain('hunter2-secret')
  })

  test('a wrong host is one problem, not also a missing region', () => {
    expect(problems(genesysCloud({ host: 5 })).map(({ option }) => option)).toEqual(['provider.host'])
  })
})

describe('pagerDuty', () => {
  test('authenticates in the body of a request to the identity service', () => {
    expect(endpoint(pagerDuty({ scope: 'as_account-us.acme incidents.read' }))).toMatchObject({
      tokenUrl: 'https://identity.pagerduty.com/oauth/token',
      clientAuth: 'body',
      scope: 'as_account-us.acme incidents.read',
      propagationMs: 0,
    })
  })

  test('needs a scope', () => {
    expect(problems(pagerDuty({}))).toEqual([
      { option: 'provider.scope', message: expect.stringContaining('as_account-us.<subdomain>') },
    ])
  })
})

describe('a provider', () => {
  const secretive = () =>
    oauth2({
      tokenUrl: 'https://a:hunter2-secret@b',
      tls: { key: PRIVATE },
      proxy: 'http://u:hunter2-secret@p',
    })

  test('shows nothing of its options', () => {
    const provider = secretive()
    for (const text of [
      inspect(provider, { showHidden: true, depth: 9 }),
      JSON.stringify(provider),
      String(provider),
    ]) {
      expect(text).not.toContain('hunter2-secret')
    }
    expect(JSON.stringify(provider)).toBe('{"preset":"oauth2"}')
  })

  test('is frozen, and later changes of the options do not reach it', () => {
    const options = { tokenUrl: 'https://idp.example/token', params: { tenant: 'before' } }
    const provider = oauth2(options)
    options.tokenUrl = 'nonsense'
    options.params.tenant = 'after'
    expect(Object.isFrozen(provider)).toBe(true)
    expect(endpoint(provider)).toMatchObject({
      tokenUrl: 'https://idp.example/token',
      params: [['tenant', 'before']],
    })
  })

  test('of another copy of the package is one', () => {
    jest.isolateModules(() => {
      const copy = require('../lib/options/provider')
      expect(copy.oauth2).not.toBe(oauth2)
      expect(endpoint(copy.oauth2({ tokenUrl: 'https://idp.example/' })).tokenUrl).toBe(
        'https://idp.example/',
      )
    })
  })

  test.each([
    [() => oauth2('https://idp.example'), /such as oauth2\(\{ tokenUrl: .*; got a string/],
    [() => genesysCloud('us_east_1'), /such as genesysCloud\(\{ region: .*; got a string/],
    [() => genesysCloud(), /such as genesysCloud\(\{ region: .*; got nothing/],
    [() => pagerDuty([]), /such as pagerDuty\(\{ scope: .*; got an array/],
  ])('without options shows how it is made (%#)', (make, message) => {
    expect(problems(make())).toEqual([{ option: 'provider', message: expect.stringMatching(message) }])
  })

  test.each([[undefined], [null], ['us_east_1'], [{ tokenUrl: 'https://idp.example' }], [oauth2]])(
    'is not %p',
    (value) => {
      const [problem] = problems(value)
      expect(problem).toEqual({
        option: 'provider',
        message: expect.stringMatching(/genesysCloud\(.*oauth2\(/),
      })
    },
  )
})
