'use strict'

const { object, oneOrMore } = require('./parsers')
const { copyOfObject, describeHidden } = require('./values')

/** Parses the `tls` option into `{ ca: [], cert?, key? }`, all PEM text. */
function tls(value, place) {
  if (value === undefined) return {}
  const parsed = object(value, place, {
    ca: (ca, at) => {
      if (ca === undefined) return []
      return oneOrMore(ca, at).map(([item, place]) => pem(item, place, 'CERTIFICATE'))
    },
    cert: (cert, at) => (cert === undefined ? undefined : pem(cert, at, 'CERTIFICATE')),
    key: (key, at) => (key === undefined ? undefined : pem(key, at, 'PRIVATE KEY')),
  })
  const given = copyOfObject(value) ?? {}
  if (given.cert !== undefined && given.key === undefined) place.key('key').fail('is required with tls.cert.')
  if (given.key !== undefined && given.cert === undefined) place.key('cert').fail('is required with tls.key.')
  return parsed
}

function pem(value, place, label) {
  const what = `PEM text (-----BEGIN ${label}-----)`
  const text = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
    : value
  if (typeof text !== 'string') {
    return place.fail(`takes ${what}, as a string or a Buffer; got ${describeHidden(value)}.`)
  }
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
    return place.fail('takes a private key without a passphrase, got an encrypted one.')
  }
  const isPem =
    label === 'CERTIFICATE' ? /-----BEGIN CERTIFICATE-----/ : /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/
  if (!isPem.test(text)) {
    return place.fail(`takes ${what}, got other text. For a file: fs.readFileSync(path).`)
  }
  return text
}

module.exports = { tls }
