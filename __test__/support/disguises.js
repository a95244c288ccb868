'use strict'

const { inspect } = require('node:util')

/** As RFC 6749 §2.3.1 encodes before Basic. */
const formEncoded = (text) => new URLSearchParams({ text }).toString().slice('text='.length)
const base64 = (text) => Buffer.from(text).toString('base64').replace(/=+$/, '')

/** Every form in which a secret may show up, by name. */
function disguisesOf(secret, id) {
  return {
    plain: secret,
    form: formEncoded(secret),
    percent: encodeURIComponent(secret),
    'raw basic': base64(`${id}:${secret}`),
    'encoded basic': base64(`${formEncoded(id)}:${formEncoded(secret)}`),
    base64: base64(secret),
    hex: Buffer.from(secret).toString('hex'),
    json: JSON.stringify(secret).slice(1, -1),
    // What is left of one that was cut off.
    beginning: secret.slice(0, 12),
  }
}

/** Which of `hidden`, `{ name: text }`, are in which of `evidence`, `[where, text]`. */
function findings(evidence, hidden) {
  const found = []
  for (const [where, text] of evidence) {
    for (const [name, needle] of Object.entries(hidden)) {
      if (text.includes(needle)) found.push(`${name} in ${where}`)
    }
  }
  return [...new Set(found)]
}

const attempt = (make) => {
  try {
    return String(make())
  } catch (error) {
    return `(${error.name})`
  }
}

/** Everything that printing a value can show, as texts. */
function shownBy(value) {
  const everything = { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null }
  const texts = [
    attempt(() => inspect(value, { ...everything, getters: true })),
    attempt(() => inspect(value, { ...everything, customInspect: false })),
    attempt(() => JSON.stringify(value)),
    attempt(() => value),
  ]
  for (let error = value; error instanceof Error; error = error.cause) {
    texts.push(
      attempt(() => error.stack),
      attempt(() => error.message),
    )
    for (const key of Reflect.ownKeys(error))
      texts.push(
        String(key),
        attempt(() => inspect(error[key])),
      )
  }
  return texts.join('\n')
}

module.exports = { base64, disguisesOf, findings, shownBy }
