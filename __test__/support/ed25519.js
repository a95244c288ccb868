'use strict'

const { X509Certificate, generateKeyPairSync, randomBytes, sign } = require('node:crypto')

/** A value of DER, around others: its tag, its length and its content (X.690 §8). */
function der(tag, ...parts) {
  const content = Buffer.concat(parts)
  const { length } = content
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content])
}

const sequence = (...parts) => der(0x30, ...parts)
const set = (...parts) => der(0x31, ...parts)
const oid = (...bytes) => der(0x06, Buffer.from(bytes))
const octets = (...parts) => der(0x04, ...parts)
const bits = (bytes) => der(0x03, Buffer.from([0]), bytes)
const TRUE = der(0x01, Buffer.from([0xff]))

const ED25519 = sequence(oid(0x2b, 0x65, 0x70))
const named = (name) => sequence(set(sequence(oid(0x55, 4, 3), der(0x0c, Buffer.from(name)))))
/** As of `2026-11-27T10:38:00.000Z`, which is 261127103800Z. */
const instant = (millis) => {
  const text = new Date(millis).toISOString().replace(/\D/g, '').slice(2, 14)
  return der(0x17, Buffer.from(`${text}Z`))
}

/**
 * A certificate for a key, which an Ed25519 key signs (RFC 5280 §4.1, RFC 8410), good for an hour.
 */
function certificate({ subject, issuer, publicKey, signer, extensions }) {
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ED25519,
    named(issuer),
    sequence(instant(Date.now() - 3_600_000), instant(Date.now() + 3_600_000)),
    named(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  return new X509Certificate(sequence(signed, ED25519, bits(sign(null, signed, signer)))).toString()
}

/**
 * An authority's certificate, and one of it for a server of this machine, both of Ed25519 keys,
 * which `selfsigned` does not make.
 */
function issuedByEd25519() {
  const [authority, server] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const common = { issuer: 'an authority of Ed25519', signer: authority.privateKey }
  const isAuthority = sequence(oid(0x55, 0x1d, 0x13), TRUE, octets(sequence(TRUE)))
  const isThisMachine = sequence(
    oid(0x55, 0x1d, 0x11),
    octets(sequence(der(0x87, Buffer.from([127, 0, 0, 1])))),
  )
  return {
    ca: certificate({
      ...common,
      subject: common.issuer,
      publicKey: authority.publicKey,
      extensions: [isAuthority],
    }),
    secure: {
      cert: certificate({
        ...common,
        subject: 'endpoint',
        publicKey: server.publicKey,
        extensions: [isThisMachine],
      }),
      key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    },
  }
}

module.exports = { issuedByEd25519 }
