'use strict'

const path = require('node:path')

const { parseProxy, proxyFromEnv, rootsFromEnv } = require('../lib/options/proxy')
const { isLoopback } = require('../lib/options/url')
const { oauth2 } = require('../lib/options/provider')
const { failure, parse, valid } = require('./support/seam')

const variable = (protocol, env) => proxyFromEnv(protocol, env)?.variable

describe('the environment', () => {
  test.each([
    ['https:', { https_proxy: 'a', HTTPS_PROXY: 'b', ALL_PROXY: 'c' }, 'https_proxy'],
    ['https:', { HTTPS_PROXY: 'b', all_proxy: 'c' }, 'HTTPS_PROXY'],
    ['https:', { https_proxy: '', HTTPS_PROXY: 'b' }, 'HTTPS_PROXY'],
    ['https:', { all_proxy: 'c', ALL_PROXY: 'd' }, 'all_proxy'],
    ['https:', { ALL_PROXY: 'd' }, 'ALL_PROXY'],
    ['https:', { http_proxy: 'a', HTTP_PROXY: 'b' }, undefined],
    ['http:', { http_proxy: 'a', HTTP_PROXY: 'b' }, 'http_proxy'],
    ['http:', { HTTP_PROXY: 'b' }, 'HTTP_PROXY'],
    ['http:', { https_proxy: 'a' }, undefined],
    ['http:', { HTTP_PROXY: 'from a request header', REQUEST_METHOD: 'GET' }, undefined],
    ['http:', { http_proxy: 'a', REQUEST_METHOD: 'GET' }, 'http_proxy'],
    ['http:', {}, undefined],
  ])('for %s and %j is the proxy of %s', (protocol, env, expected) => {
    expect(variable(protocol, env)).toBe(expected)
  })

  test('its proxy and exceptions reach the native part', () => {
    const { native } = parse(valid(), {
      env: { HTTPS_PROXY: 'proxy.example:3128', NO_PROXY: '.corp,10.0.0.0/8' },
    })
    expect(native.transport).toMatchObject({
      proxy: 'http://proxy.example:3128/',
      noProxy: '.corp,10.0.0.0/8',
    })
  })

  test('the lowercase exceptions win, and mean nothing without a proxy', () => {
    const env = { no_proxy: 'lower', NO_PROXY: 'upper' }
    expect(parse(valid(), { env: { ...env, https_proxy: 'p:1' } }).native.transport.noProxy).toBe('lower')
    expect(parse(valid(), { env }).native.transport).not.toHaveProperty('noProxy')
  })

  test.each([
    [{ no_proxy: '', NO_PROXY: '*' }, '*'],
    [{ no_proxy: '*', NO_PROXY: '' }, '*'],
    [{ no_proxy: '', NO_PROXY: '' }, undefined],
  ])('of %j the exceptions are %p: as in curl, an empty variable counts as unset', (env, expected) => {
    const { transport } = parse(valid(), { env: { ...env, https_proxy: 'p:1' } }).native
    expect(transport.noProxy).toBe(expected)
  })

  test('a proxy that cannot be used is an error that names the variable and not its value', () => {
    const error = failure(valid(), { env: { ALL_PROXY: 'socks5://user:hunter2-secret@proxy.example' } })
    expect(error.option).toBe('provider.proxy')
    expect(error.message).toMatch(/ALL_PROXY.*socks5 proxies are not supported/)
    expect(error.message).not.toContain('hunter2-secret')
  })

  test('its certificates reach the native part', () => {
    const env = { NODE_EXTRA_CA_CERTS: '/extra.pem', SSL_CERT_FILE: '/roots.pem', SSL_CERT_DIR: '/roots' }
    expect(parse(valid(), { env }).native.transport).toMatchObject({
      extraRootFile: '/extra.pem',
      rootFile: '/roots.pem',
      rootDirs: ['/roots'],
    })
    const list = ['', '/a', '/b', ''].join(path.delimiter)
    expect(rootsFromEnv({ SSL_CERT_DIR: list }).rootDirs).toEqual(['/a', '/b'])
    for (const empty of ['', path.delimiter]) {
      expect(rootsFromEnv({ SSL_CERT_FILE: '', SSL_CERT_DIR: empty })).toEqual({})
    }
    expect(parse(valid()).native.transport.rootFile).toBeUndefined()
  })
})

describe('the option', () => {
  const transport = (proxy, env, tokenUrl = 'https://idp.example/token') =>
    parse(valid({ provider: oauth2({ tokenUrl, proxy }) }), { env }).native.transport
  const env = { https_proxy: 'http://env.example', no_proxy: 'idp.example' }

  test('wins over the environment, its exceptions included', () => {
    const chosen = transport('http://option.example', env)
    expect(chosen.proxy).toBe('http://option.example/')
    expect(chosen).not.toHaveProperty('noProxy')
  })

  test('false means none, even where the variables are unusable', () => {
    expect(transport(false, { https_proxy: 'socks5://x' })).not.toHaveProperty('proxy')
  })

  test('may be a URL', () => {
    expect(transport(new URL('https://option.example:8443'), env).proxy).toBe('https://option.example:8443/')
  })

  test('this machine is never reached by a proxy', () => {
    for (const url of ['http://127.0.0.1:80/', 'https://localhost/', 'http://[::1]:9/']) {
      expect(transport(undefined, { all_proxy: 'http://env.example' }, url)).not.toHaveProperty('proxy')
      expect(transport('http://option.example', {}, url)).not.toHaveProperty('proxy')
    }
  })

  test.each([[true], [''], [1], [{}], [null], ['ftp://x'], ['http://'], ['http://a b']])(
    '%p is an error',
    (proxy) => {
      const error = failure(valid({ provider: oauth2({ tokenUrl: 'https://idp.example', proxy }) }))
      expect(error.problems).toEqual([
        { option: 'provider.proxy', message: expect.stringContaining('http or https proxy') },
      ])
    },
  )
})

test('a password in a proxy keeps what is special in it', () => {
  expect(parseProxy('http://user:p%40ss@proxy.example:1').href).toBe('http://user:p%40ss@proxy.example:1/')
})

test.each([
  ['localhost', true],
  ['localhost.', true],
  ['LOCALHOST', true],
  // Whoever answers for such a name, it is not known to be this machine.
  ['app.localhost', false],
  ['evil.com.localhost', false],
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['0x7f.1', true],
  ['[::1]', true],
  ['127.0.0.1.example.com', false],
  ['localhost.example.com', false],
  ['notlocalhost', false],
  ['10.0.0.1', false],
  ['[::2]', false],
])('%s is loopback: %p', (host, expected) => {
  expect(isLoopback(new URL(`http://${host}/`))).toBe(expected)
})
