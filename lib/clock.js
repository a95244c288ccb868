'use strict'

/**
 * Marks a clock of `oauth-rotor/testing`. Managers recognise one by this mark, without loading that
 * entry.
 */
const BRAND = Symbol.for('oauth-rotor.clock')

/** Whether a value is a clock from any copy of this package. */
function isClock(value) {
  return typeof value === 'object' && value !== null && isLinkable(value[BRAND])
}

function isLinkable(brand) {
  return typeof brand?.link === 'function' && typeof brand.hold === 'function'
}

module.exports = { BRAND, isClock }
