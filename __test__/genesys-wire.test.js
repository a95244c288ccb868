'use strict'

const { TokenManager, genesysCloud } = require('..')
const { sdkLogin } = require('./support/genesys-sdk')
const { wire } = require('./support/wire')
const { closeAll, closing } = require('./support/world')

afterEach(closeAll)

/**
 * What both clients must send alike, byte for byte. Names of headers have no case (RFC 9110 §5.1).
 */
function essence({ method, path, version, headers, body }) {
  const { authorization, 'content-type': contentType, 'content-length': contentLength } = headers
  return { method, path, version, authorization, contentType, contentLength, body }
}

test.each([
  ['as Genesys Cloud makes them', 'N3v3r_-a-real-one-0123456789abcdefghijklmno'],
  ['with what form-encoding would change', '/+ %:é=&~*'],
])('a secret %s is sent as Genesys’ own SDK sends it', async (_, clientSecret) => {
  const credential = { clientId: '7de3af06-c0b3-4f9b-af45-72f4a1403797', clientSecret }
  const login = await wire()
  const token = await sdkLogin(login.port, credential)
  const tokens = closing(
    new TokenManager({ provider: genesysCloud({ host: login.url }), credentials: credential }),
  )
  expect(await tokens.getToken()).toBe(token)

  const [theirs, ours] = login.requests.map(essence)
  expect(ours).toEqual(theirs)
  expect(ours).toEqual({
    method: 'POST',
    path: '/oauth/token',
    version: 'HTTP/1.1',
    authorization: `Basic ${Buffer.from(`${credential.clientId}:${clientSecret}`).toString('base64')}`,
    contentType: 'application/x-www-form-urlencoded',
    contentLength: '29',
    body: 'grant_type=client_credentials',
  })
  expect(login.requests[1].headers.accept).toBe('application/json')
  expect(login.requests).toHaveLength(2)
})
