'use strict'

const { attempt } = require('./values')

function urlOf(value) {
  const text = isUrl(value) ? value.href : value
  return typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
}

/** Checks the shape, not the class: a Jest environment may have its own URL class. */
function isUrl(value) {
  return attempt(() => typeof value.href === 'string' && typeof value.searchParams === 'object') === true
}

/**
 * Whether a URL stays on this machine: plain http is harmless there, and a proxy could not reach
 * it. A name that ends with `.localhost` does not count: any DNS server may resolve it, like other
 * names.
 */
function isLoopback({ hostname }) {
  return /^localhost\.?$/.test(hostname) || /^127(\.\d+){3}$/.test(hostname) || hostname === '[::1]'
}

module.exports = { isLoopback, isUrl, urlOf }
