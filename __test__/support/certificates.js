'use strict'

const { generate } = require('selfsigned')

const EC = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' }

/** A certificate authority of the test's own, which `issue` takes. */
async function authority(name = 'oauth-rotor test authority', options = {}) {
  const extensions = [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]
  return pair(await generate(common(name), { ...EC, extensions, ...options }))
}

/**
 * A certificate of that authority, good for servers and clients. Its default names are this
 * machine's.
 */
async function issue(ca, name, { dns = [], ip = ['127.0.0.1'], ...options } = {}) {
  const altNames = [
    ...dns.map((value) => ({ type: 2, value })),
    ...ip.map((address) => ({ type: 7, ip: address })),
  ]
  const extensions = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
    { name: 'subjectAltName', altNames },
  ]
  return pair(await generate(common(name), { ...EC, ca, extensions, ...options }))
}

/**
 * A certificate that vouches for itself, for a server of this machine. By default it calls itself
 * an authority, as `openssl req -x509` has it; `keyPair` is the key of another one, `names: false`
 * leaves the common name alone.
 */
async function selfSigned(name, { isAuthority = true, names = ['127.0.0.1'], ...options } = {}) {
  const altNames = (names || []).map((ip) => ({ type: 7, ip }))
  const extensions = [
    { name: 'basicConstraints', cA: isAuthority, critical: true },
    ...(names ? [{ name: 'subjectAltName', altNames }] : []),
  ]
  const made = await generate(common(name), { ...EC, extensions, ...options })
  return { ...pair(made), keyPair: { privateKey: made.private, publicKey: made.public } }
}

function common(value) {
  return [{ name: 'commonName', value }]
}

function pair({ cert, private: key }) {
  return { cert, key }
}

module.exports = { authority, issue, selfSigned }
