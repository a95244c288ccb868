'use strict'

const { authority, issue } = require('./support/certificates')
const { GRANT, http, wire } = require('./support/wire')
const { closeAll, event, manager } = require('./support/world')

let ca, other, server, client

beforeAll(async () => {
  ;[ca, other] = await Promise.all([authority(), authority('another authority')])
  ;[server, client] = await Promise.all([issue(ca, 'endpoint'), issue(ca, 'the client')])
})

afterEach(closeAll)

async function failure(endpoint, tls) {
  const { error } = await event(manager(endpoint, { provider: { tls } }), 'refresh-failed')
  expect(error).toMatchObject({ code: 'ERR_ENDPOINT', retryable: true })
  return error.message
}

test('an endpoint with a certificate of the given authority is trusted', async () => {
  const endpoint = await wire({ secure: server })
  const tokens = manager(endpoint, { provider: { tls: { ca: [other.cert, Buffer.from(ca.cert)] } } })
  expect(await tokens.getToken()).toBe('token-at-the-wire')
  expect(endpoint.requests).toMatchObject([{ method: 'POST', version: 'HTTP/1.1' }])
})

test.each([
  ['of another authority', () => server, () => other, /UnknownIssuer/],
  [
    'for another host',
    () => issue(ca, 'x', { dns: ['other.example'], ip: [] }),
    () => ca,
    /not valid for name/,
  ],
  [
    'that has expired',
    () => issue(ca, 'x', { notBeforeDate: new Date(0), notAfterDate: new Date(1e12) }),
    () => ca,
    /expired/,
  ],
  ['that vouches for itself', () => other, () => ca, /./],
])('an endpoint with a certificate %s gets no request', async (_, certificate, trusted, reason) => {
  const endpoint = await wire({ secure: await certificate() })
  const message = await failure(endpoint, { ca: trusted().cert })
  expect(message).toMatch(/could not be trusted or spoken to over TLS \(.*\); check tls\.ca/)
  expect(message).toMatch(reason)
  expect(endpoint.requests).toEqual([])
})

test('an endpoint that speaks no TLS gets no request', async () => {
  const answerAnything = (socket) => socket.once('data', () => socket.end(http(400, 'Bad Request')))
  const plain = await wire({ onConnection: answerAnything })
  const endpoint = { tokenUrl: plain.tokenUrl.replace('http:', 'https:') }
  expect(await failure(endpoint, { ca: ca.cert })).toMatch(/spoken to over TLS/)
  expect(plain.requests).toEqual([])
})

test('a handshake that is never answered is given up after requestTimeoutMs', async () => {
  const mute = await wire()
  const tokens = manager(
    { tokenUrl: mute.tokenUrl.replace('http:', 'https:') },
    { provider: { tls: { ca: ca.cert } }, requestTimeoutMs: 100 },
  )
  const { error } = await event(tokens, 'refresh-failed')
  expect(error.code).toBe('ERR_ENDPOINT')
  expect(error.message).toMatch(/could not be connected to in time|did not answer within requestTimeoutMs/)
})

// Before TLS 1.3 the server judges the client first; since then only after it has the request, and
// its closing the connection may overtake its reason.
describe.each([
  ['TLSv1.2', /over TLS \(received fatal alert: \w+\); check tls\.cert and tls\.key/],
  ['TLSv1.3', /over TLS|broke the connection off/],
])('an endpoint that wants a client certificate, over %s,', (version, reason) => {
  const mutual = (subjects = []) =>
    wire({
      secure: {
        ...server,
        ca: ca.cert,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: version,
        maxVersion: version,
      },
      answer: (socket) => {
        subjects.push(socket.getPeerCertificate().subject.CN)
        socket.end(GRANT)
      },
    })

  test('gets it', async () => {
    const subjects = []
    const tokens = manager(await mutual(subjects), { provider: { tls: { ca: ca.cert, ...client } } })
    await tokens.ready()
    expect(subjects).toEqual(['the client'])
  })

  test('gives no token to a client without one', async () => {
    expect(await failure(await mutual(), { ca: ca.cert })).toMatch(reason)
  })

  test('gives no token to a client with one of another authority', async () => {
    const subjects = []
    await failure(await mutual(subjects), { ca: ca.cert, ...(await issue(other, 'a stranger')) })
    expect(subjects).toEqual([])
  })
})

test('a certificate that is missing is told apart from ciphers that are, at the same time', async () => {
  const secure = { ...server, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }
  const asking = await wire({
    secure: { ...secure, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
  })
  const ciphers = 'ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:AES128-SHA'
  const choosing = await wire({ secure: { ...secure, ciphers } })
  const messages = async (endpoints) =>
    (await Promise.all(endpoints.map((endpoint) => failure(endpoint, { ca: ca.cert })))).map(
      (message) => /check tls\.cert|no cipher suite/.exec(message)?.[0] ?? message,
    )
  // Managers that trust alike share connections' settings, and TLS sessions.
  const endpoints = [asking, choosing, choosing, asking, choosing]
  expect(await messages(endpoints)).toEqual(
    endpoints.map((endpoint) => (endpoint === asking ? 'check tls.cert' : 'no cipher suite')),
  )
})

describe('an alert that answers the first message', () => {
  /** A server that sends this alert (RFC 8446 §6) and nothing else. */
  const alerting = async (code) => {
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, code])
    const { tokenUrl } = await wire({
      onConnection: (socket) => socket.once('data', () => socket.end(alert)),
    })
    return { tokenUrl: tokenUrl.replace('http:', 'https:') }
  }
  const ADVICE = [/check tls\.cert and tls\.key/, /has no cipher suite in common/, /check tokenUrl/]
  const [CERTIFICATE, CIPHERS, NAME] = ADVICE

  test.each([
    [42, 'BadCertificate', CERTIFICATE],
    [43, 'UnsupportedCertificate', CERTIFICATE],
    [44, 'CertificateRevoked', CERTIFICATE],
    [45, 'CertificateExpired', CERTIFICATE],
    [46, 'CertificateUnknown', CERTIFICATE],
    [48, 'UnknownCA', CERTIFICATE],
    [49, 'AccessDenied', CERTIFICATE],
    [116, 'CertificateRequired', CERTIFICATE],
    [40, 'HandshakeFailure', CIPHERS],
    [70, 'ProtocolVersion', CIPHERS],
    [71, 'InsufficientSecurity', CIPHERS],
    [112, 'UnrecognisedName', NAME],
    [50, 'DecodeError', undefined],
    [80, 'InternalError', undefined],
  ])('%d (%s) gives the advice that fits it, and no other', async (code, name, fitting) => {
    const message = await failure(await alerting(code), { ca: ca.cert })
    expect(message).toContain(`(received fatal alert: ${name})`)
    expect(ADVICE.filter((advice) => advice.test(message))).toEqual([fitting].filter(Boolean))
    if (fitting !== CERTIFICATE) expect(message).not.toMatch(/tls\.(ca|cert|key)/)
  })
})

test('a key that does not belong to the certificate is told, and not shown', async () => {
  const endpoint = await wire({ secure: server })
  const tokens = manager(endpoint, { provider: { tls: { ca: ca.cert, cert: client.cert, key: server.key } } })
  const { error } = await event(tokens, 'refresh-failed')
  expect(error.code).toBe('ERR_MISCONFIGURED')
  expect(error.message).toMatch(/tls\.key does not belong to the certificate in tls\.cert/)
  expect(error.message).not.toContain('PRIVATE KEY')
  expect(endpoint.requests).toEqual([])
})
