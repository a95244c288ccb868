'use strict'

const fs = require('node:fs')
const https = require('node:https')
const path = require('node:path')

const { authority, issue, selfSigned } = require('./support/certificates')
const { issuedByEd25519 } = require('./support/ed25519')
const project = require('./support/project')
const { wire } = require('./support/wire')
const { closeAll, event, manager } = require('./support/world')

let ca, server

beforeAll(async () => {
  ca = await authority()
  server = await issue(ca, 'endpoint')
})

afterEach(closeAll)
afterAll(project.removeDirectories)

/** What `node:https` makes of the same certificates: a status, or the code of its error. */
function nodeTakes({ tokenUrl }, options) {
  return new Promise((resolve) => {
    const { port } = new URL(tokenUrl)
    https
      .get({ port, ...options, host: '127.0.0.1', agent: false }, ({ statusCode }) => resolve(statusCode))
      .on('error', ({ code }) => resolve(code))
  })
}

async function failure(endpoint, tls) {
  const { error } = await event(manager(endpoint, { provider: { tls } }), 'refresh-failed')
  expect(error.code).toBe('ERR_ENDPOINT')
  expect(endpoint.requests ?? []).toEqual([])
  return error.message
}

const EXPIRED = { notBeforeDate: new Date(0), notAfterDate: new Date(1e12) }
const TO_COME = { notBeforeDate: new Date(4e12), notAfterDate: new Date(5e12) }

describe('an endpoint whose certificate vouches for itself', () => {
  test.each([
    ['calls itself an authority', {}],
    ['calls itself none', { isAuthority: false }],
    ['has an RSA key', { keyType: 'rsa', keySize: 2048 }],
  ])('is trusted when it is the one in tls.ca, and it %s', async (_, options) => {
    const certificate = await selfSigned('endpoint', options)
    const endpoint = await wire({ secure: certificate })
    const tokens = manager(endpoint, { provider: { tls: { ca: [ca.cert, certificate.cert] } } })
    expect(await tokens.getToken()).toBe('token-at-the-wire')
    expect(await nodeTakes(endpoint, { ca: certificate.cert })).toBe(200)
  })

  test('is trusted over TLS 1.2, too', async () => {
    const certificate = await selfSigned('endpoint')
    const endpoint = await wire({ secure: { ...certificate, maxVersion: 'TLSv1.2' } })
    await manager(endpoint, { provider: { tls: { ca: certificate.cert } } }).ready()
  })

  test('is known by its common name where it has no other', async () => {
    const certificate = await selfSigned('localhost', { names: false })
    const endpoint = await wire({ secure: certificate })
    const named = { tokenUrl: endpoint.tokenUrl.replace('127.0.0.1', 'localhost') }
    await manager(named, { provider: { tls: { ca: certificate.cert } } }).ready()
    // Not by an address, nor beside other names.
    expect(await failure({ tokenUrl: endpoint.tokenUrl }, { ca: certificate.cert })).toMatch(
      /not valid for name/,
    )
    const other = await selfSigned('localhost')
    const both = await wire({ secure: other })
    const alsoNamed = { tokenUrl: both.tokenUrl.replace('127.0.0.1', 'localhost') }
    expect(await failure(alsoNamed, { ca: other.cert })).toMatch(/not valid for name/)
  })

  test('is not trusted without being given', async () => {
    const endpoint = await wire({ secure: await selfSigned('endpoint') })
    expect(await failure(endpoint, { ca: ca.cert })).toMatch(/vouches for itself, give exactly this one/)
  })

  test.each([
    ['is for another host', { names: ['192.0.2.1'] }, /not valid for name/],
    ['has only another common name', { names: false }, /not valid for name/],
    ['has expired', EXPIRED, /expired/],
    ['is not valid yet', TO_COME, /not valid yet/],
  ])('is not trusted when it is the one in tls.ca and %s', async (_, options, reason) => {
    for (const isAuthority of [true, false]) {
      const certificate = await selfSigned('endpoint', { isAuthority, ...options })
      const endpoint = await wire({ secure: certificate })
      expect(await failure(endpoint, { ca: certificate.cert })).toMatch(reason)
    }
  })

  test('is not trusted when it has name and key of the one in tls.ca, and is another', async () => {
    const given = await selfSigned('endpoint')
    const { keyPair } = given
    const another = await selfSigned('endpoint', { keyPair })
    expect(another.cert).not.toBe(given.cert)
    const endpoint = await wire({ secure: another })
    expect(await failure(endpoint, { ca: given.cert })).toMatch(/give exactly this one/)
  })

  test('is not trusted when it has the name of the one in tls.ca, and another key', async () => {
    const [given, another] = [await selfSigned('endpoint'), await selfSigned('endpoint')]
    const endpoint = await wire({ secure: another })
    expect(await failure(endpoint, { ca: given.cert })).toMatch(/give exactly this one/)
  })
})

describe('a certificate is trusted that is signed', () => {
  const ec = (curve, algorithm) => () => issuedBy({ keyType: 'ec', curve, algorithm })
  const rsa = (algorithm) => () => issuedBy({ keyType: 'rsa', keySize: 2048, algorithm })
  const issuedBy = async (options) => {
    const signer = await authority('signer', options)
    return { ca: signer.cert, secure: await issue(signer, 'endpoint', options) }
  }

  test.each([
    ['by P-256 with SHA-256', ec('P-256', 'sha256')],
    ['by P-256 with SHA-384', ec('P-256', 'sha384')],
    ['by P-384 with SHA-256', ec('P-384', 'sha256')],
    ['by P-384 with SHA-384', ec('P-384', 'sha384')],
    ['by RSA with SHA-256', rsa('sha256')],
    ['by RSA with SHA-384', rsa('sha384')],
    ['by RSA with SHA-512', rsa('sha512')],
    ['with Ed25519', issuedByEd25519],
  ])('%s, over TLS 1.3 and 1.2', async (_, make) => {
    const { ca, secure } = await make()
    for (const version of ['TLSv1.3', 'TLSv1.2']) {
      const endpoint = await wire({ secure: { ...secure, minVersion: version, maxVersion: version } })
      const tokens = manager(endpoint, { provider: { tls: { ca } } })
      expect(await tokens.getToken()).toBe('token-at-the-wire')
    }
  })
})

describe('what an endpoint needs is told shortly', () => {
  const short = (message) => {
    expect(message.length).toBeLessThan(500)
    return message
  }
  const P_521 = { keyType: 'ec', curve: 'P-521', algorithm: 'sha512' }
  const BY_P_521 = async () => issue(await authority('odd', P_521), 'endpoint', P_521)
  const P_256_SHA_512 = { keyType: 'ec', curve: 'P-256', algorithm: 'sha512' }
  const BY_SHA_512 = async () => issue(ca, 'endpoint', P_256_SHA_512)

  test('a signature by P-256 with SHA-512 is not supported', async () => {
    const endpoint = await wire({ secure: await BY_SHA_512() })
    const message = short(await failure(endpoint, { ca: ca.cert }))
    expect(message).toMatch(/signed with an algorithm that is not supported; supported are ECDSA with P-256 /)
  })

  test('a key on P-521 is not supported', async () => {
    const endpoint = await wire({ secure: await BY_P_521() })
    const message = short(await failure(endpoint, { ca: ca.cert }))
    // The server does not even present it, and its alert tells no more than this.
    expect(message).toMatch(/no cipher suite in common .* a certificate for one of ECDSA with P-256 or P-384/)
  })

  test('a signature by an authority on P-521 is not supported', async () => {
    const odd = await authority('odd', P_521)
    const endpoint = await wire({ secure: await issue(odd, 'endpoint', { algorithm: 'sha512' }) })
    const message = short(await failure(endpoint, { ca: odd.cert }))
    expect(message).toMatch(/signed with an algorithm that is not supported/)
  })

  test.each([
    ['RSA key exchange only', { ciphers: 'AES128-GCM-SHA256:AES256-SHA256:AES128-SHA' }],
    ['CBC only', { ciphers: 'ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA384' }],
    ['TLS 1.1 only', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
  ])('%s has no cipher suite in common', async (_, options) => {
    const rsa = await selfSigned('endpoint', { keyType: 'rsa', keySize: 2048 })
    const endpoint = await wire({ secure: { maxVersion: 'TLSv1.2', ...rsa, ...options } })
    const message = short(await failure(endpoint, { ca: rsa.cert }))
    expect(message).toMatch(/has no cipher suite in common .*TLS 1\.3, or TLS 1\.2 with ECDHE and AES-GCM/)
    expect(message).not.toMatch(/tls\.(ca|cert|key)/)
  })

  test('plain HTTP is no TLS', async () => {
    const plain = await wire({ onConnection: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n') })
    const endpoint = { tokenUrl: plain.tokenUrl.replace('http:', 'https:') }
    expect(short(await failure(endpoint, { ca: ca.cert }))).toMatch(
      /over TLS: what it speaks .* is something else, mostly plain HTTP/,
    )
  })
})

describe('certificates that the environment names', () => {
  const inherited = { ...process.env }
  const VARIABLES = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS']
  let directory

  beforeEach(() => {
    for (const name of VARIABLES) delete process.env[name]
    directory = project.temporaryDirectory()
  })
  afterAll(() => Object.assign(process.env, inherited))

  const file = (name, text) => {
    const place = path.join(directory, name)
    fs.mkdirSync(path.dirname(place), { recursive: true })
    fs.writeFileSync(place, text)
    return place
  }
  /**
   * How OpenSSL finds an authority in a directory: by a hash of its name, which nothing here looks
   * at.
   */
  const hashed = (name, { cert }) => path.dirname(file(`${name}/0123abcd.0`, cert))
  const connected = async (endpoint, tls) => manager(endpoint, { provider: { tls } }).ready()

  test('are those of each directory of a list', async () => {
    const other = await authority('another')
    const endpoint = await wire({ secure: server })
    for (const directories of [
      [hashed('a', other), hashed('b', ca)],
      [hashed('c', ca), hashed('d', other)],
      ['', hashed('e', ca), path.join(directory, 'missing')],
    ]) {
      process.env.SSL_CERT_DIR = directories.join(path.delimiter)
      await connected(endpoint)
    }
  })

  test('are those of the file and of the directories', async () => {
    const other = await authority('another')
    process.env.SSL_CERT_FILE = file('roots.pem', ca.cert)
    process.env.SSL_CERT_DIR = hashed('a', other)
    await connected(await wire({ secure: server }))
    await connected(await wire({ secure: await issue(other, 'x') }))
  })

  test.each([
    ['SSL_CERT_FILE', 'missing.pem', /does not exist/],
    ['SSL_CERT_FILE', 'empty.pem', /holds no certificate/],
    ['SSL_CERT_DIR', 'missing', /does not exist/],
    ['SSL_CERT_DIR', 'empty', /holds no certificate under the name of its hash/],
  ])('in %s are missed by its name and path when it is %s', async (variable, name, reason) => {
    file('empty.pem', 'nothing of that kind')
    fs.mkdirSync(path.join(directory, 'empty'))
    process.env[variable] = path.join(directory, name)
    const endpoint = await wire({ secure: server })
    const { error } = await event(manager(endpoint), 'refresh-failed')
    expect(error.code).toBe('ERR_MISCONFIGURED')
    expect(error.message).toContain(`${variable} names ${path.join(directory, name)}, which `)
    expect(error.message).toMatch(reason)
    expect(error.message).not.toContain('ca-certificates')
  })

  test.each([
    ['that is missing', 'missing.pem', /which does not exist/],
    ['that is empty', 'empty.pem', /which holds no certificate in PEM form/],
    ['of something else', 'other.pem', /which holds no certificate in PEM form/],
  ])('in a NODE_EXTRA_CA_CERTS %s are told of where something is not trusted', async (_, name, reason) => {
    file('empty.pem', '')
    file('other.pem', 'nothing of that kind')
    const extra = path.join(directory, name)
    process.env.NODE_EXTRA_CA_CERTS = extra
    const endpoint = await wire({ secure: server })
    // As in Node, the others still serve.
    await connected(endpoint, { ca: ca.cert })
    const elsewhere = await wire({ secure: await issue(await authority('unknown'), 'x') })
    const itself = await wire({ secure: await selfSigned('endpoint') })
    for (const untrusted of [elsewhere, itself]) {
      const message = await failure(untrusted, { ca: ca.cert })
      expect(message).toContain(`NODE_EXTRA_CA_CERTS names ${extra}, which `)
      expect(message).toMatch(reason)
    }
    // That is not what is wrong here.
    const refusing = await wire({ secure: server })
    await refusing.close()
    expect(await failure(refusing, { ca: ca.cert })).not.toContain('NODE_EXTRA_CA_CERTS')
  })

  test('in NODE_EXTRA_CA_CERTS are trusted, also when one is the endpoint’s own', async () => {
    const certificate = await selfSigned('endpoint')
    process.env.NODE_EXTRA_CA_CERTS = file('extra.pem', `${server.cert}\n${certificate.cert}`)
    await connected(await wire({ secure: certificate }), { ca: ca.cert })
  })

  test('do not count beside tls.ca, and are not even read', async () => {
    const other = await authority('another')
    process.env.SSL_CERT_FILE = file('another.pem', other.cert)
    process.env.SSL_CERT_DIR = hashed('b', other)
    await connected(await wire({ secure: server }), { ca: ca.cert })
    const elsewhere = await wire({ secure: await issue(other, 'x') })
    expect(await failure(elsewhere, { ca: ca.cert })).toMatch(/UnknownIssuer/)
    process.env.SSL_CERT_FILE = path.join(directory, 'missing.pem')
    expect(await failure(elsewhere, { ca: ca.cert })).not.toContain('SSL_CERT')
  })
})
