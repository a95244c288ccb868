'use strict'

const { attempt } = require('./values')

function urlOf(value) {
  const text = isUrl(value) ? value.href : value
  return typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
}

/** Goes by shape: a Jest environment may have a URL class of its own. */
function isUrl(value) {
  return attempt(() => typeof value.href === 'string' && typeof value.searchParams === 'object') === true
}

/**
 * Whether a URL stays on this machine: plain http is harmless there, and no proxy could reach it. What ends
 * with `.localhost` is resolved like any other name, by a server that may be anyone's.
 */
function isLoopback({ hostname }) {
  return /^localhost\.?$/.test(hostname) || /^127(\.\d+){3}$/.test(hostname) || hostname === '[::1]'
}

module.exports = { isLoopback, isUrl, urlOf }
