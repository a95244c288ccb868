'use strict'

const { inspect } = require('node:util')

const { TokenManager } = require('..')
const { authority, issue } = require('./support/certificates')
const { shownBy } = require('./support/disguises')
const { http, wire } = require('./support/wire')
const { closeAll, event, manager, server } = require('./support/world')
const { wrongOptions } = require('./support/wrong-options')

afterEach(closeAll)

/** A token endpoint that grants nothing, and says this. */
function saying(text) {
  const body = JSON.stringify({ error: 'invalid_client', error_description: text })
  return wire({ answer: (socket) => socket.end(http(400, body)) })
}

test("what an endpoint says shows no secret and no token of another manager's", async () => {
  const SECRET = 'kD3uVJmPzLq8sXwT1yRb6NcGf0HaEo9i'
  const idp = await server({ clients: { other: SECRET } })
  const other = manager(idp, { credentials: { clientId: 'other', clientSecret: SECRET } })
  const token = await other.getToken()
  const echoes = [
    SECRET,
    token,
    SECRET.toUpperCase(),
    SECRET.slice(3, 15),
    Buffer.from(SECRET).toString('base64'),
    Buffer.from(`app:${token}`).toString('base64url'),
    Buffer.from(SECRET).toString('hex'),
    [...SECRET].join('\u200b'),
    encodeURIComponent(Buffer.from(SECRET).toString('base64')),
  ]
  for (const echo of echoes) {
    const { error } = await event(manager(await saying(`it is not <${echo}>`)), 'refresh-failed')
    expect(error.description).toBe('it is not <[redacted]>')
    expect(shownBy(error)).not.toContain(echo)
  }
  // With the other manager what it knew is gone.
  other.close()
  const { error } = await event(manager(await saying(`it is not <${SECRET}>`)), 'refresh-failed')
  expect(error.description).toBe(`it is not <${SECRET}>`)
})

test('what an endpoint says cannot turn the text around it, or break its line', async () => {
  const text = 'a\u202eb\u2066c\u2028d\u200be\u{e0041}'
  const { error } = await event(manager(await saying(text)), 'refresh-failed')
  expect(error.description).toBe('abc de')
})

test('a certificate with 800 names, one of which is a secret, makes a short message without it', async () => {
  const ca = await authority()
  const secret = 'zq7hunter2xkwvbn'
  const names = [`${secret}.example`, ...Array.from({ length: 799 }, (_, index) => `name-${index}.example`)]
  const endpoint = await wire({ secure: await issue(ca, 'x', { dns: names, ip: [] }) })
  const tokens = manager(endpoint, {
    provider: { tls: { ca: ca.cert } },
    credentials: { clientId: 'app', clientSecret: secret },
  })
  const { error } = await event(tokens, 'refresh-failed')
  expect(error.message).toMatch(/not valid for name 127\.0\.0\.1, only for .*\[redacted\].* and 795 more/)
  expect(error.message.length).toBeLessThan(500)
  expect(inspect(error)).not.toContain(secret)
})

test.each([
  'sk_live_51HxyzABCdefGHIjklMNO',
  'sk_live_abcdefghijklmnopqrstuv',
  'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  'AKIAIOSFODNN7EXAMPLE',
  'correcthorsebatterystaple',
  'kD3uVJmPzLq8sXwT1yRb6NcGf0HaEo9i',
  '0f8a3d52-6c1e-4b97-a2d4-7e5b9c0d1f68',
  '90384756201938475620',
])('%s is not repeated when it stands where another option belongs', (secret) => {
  const wrong = wrongOptions({ secret, proxyPassword: secret, cert: 'x' })
  expect(wrong.length).toBeGreaterThan(40)
  for (const [where, make] of wrong) {
    let error
    try {
      new TokenManager(make()).close()
    } catch (thrown) {
      error = thrown
    }
    if (error !== undefined)
      expect([where, shownBy(error)]).toEqual([where, expect.not.stringContaining(secret)])
  }
})

test('a text in the wrong place is told by its length', () => {
  const provider = { preset: 'none' }
  const error = (() => {
    try {
      new TokenManager({
        provider,
        credentials: 'sk_live_51Hx',
        ['sk_live_51Hxyz']: 1,
        timeZone: 'Sao_Paulo',
      })
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error.message).toContain('got a string of 12 characters')
  expect(error.message).toContain(', of 14 characters] is not a known option')
  expect(error.message).toContain('got "Sao_Paulo"')
})
