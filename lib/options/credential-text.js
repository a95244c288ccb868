'use strict'

const { hasControlCharacter, hasLoneSurrogate, textOf } = require('./parsers')

/**
 * Names the characters in a string that no client id or secret has, such as those left by an
 * editor, a web page or a terminal. Returns undefined if there are none. `src/source/flaw.rs` does
 * the same for files.
 */
function flawOf(text) {
  if (hasControlCharacter(text)) return 'control characters'
  if (hasLoneSurrogate(text)) return 'characters that are not well-formed Unicode'
  const [invisible] = /\p{Default_Ignorable_Code_Point}/u.exec(text) ?? []
  if (invisible !== undefined) return `an invisible character (${codePoint(invisible)})`
  const [blank] = /[^\P{White_Space} ]/u.exec(text) ?? []
  if (blank !== undefined) return `a blank that is no plain space (${codePoint(blank)})`
  return /^ | $/.test(text) ? 'a blank at its beginning or end' : undefined
}

/**
 * Parses a client id or secret. Returns undefined after a report, which does not repeat the value.
 */
function credentialText(value, place, { what }) {
  const text = textOf(value, place, { what })
  const flaw = text === undefined ? undefined : flawOf(text)
  if (flaw === undefined) return text
  return place.fail(`takes ${what}, got a string with ${flaw}. Copy it again.`)
}

function codePoint(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}

module.exports = { flawOf, credentialText }
