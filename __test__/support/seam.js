'use strict'

const { parseOptions } = require('../../lib/options/manager')
const { oauth2 } = require('../../lib/options/provider')

const ZONES = ['UTC', 'America/Sao_Paulo', 'Europe/Berlin']

/** What the native part answers, as far as the parsing of options asks it. */
function genesysHost(value) {
  if (value === 'us_east_1') return JSON.stringify({ host: 'login.mypurecloud.com', corrected: false })
  if (!value.includes('.')) return JSON.stringify({ error: 'there is no such region' })
  const host = value.replace(/^(login|api)\./, '')
  return JSON.stringify({ host: `login.${host}`, corrected: value.startsWith('api.') })
}

/** Parses options as a manager does, with an environment and warnings of the test's own. */
function parse(options, { env = {}, warn = () => {} } = {}) {
  return parseOptions(options, { isTimeZone: (zone) => ZONES.includes(zone), genesysHost, env, warn })
}

/** The error that parsing ends in. */
function failure(options, seam) {
  try {
    parse(options, seam)
  } catch (error) {
    return error
  }
  throw new Error('These options were accepted.')
}

/** Options that are in order, for a test to change one. */
function valid(changes = {}) {
  return {
    provider: oauth2({ tokenUrl: 'https://idp.example/token' }),
    credentials: { clientId: 'app', clientSecret: 'hunter2-secret' },
    ...changes,
  }
}

module.exports = { parse, failure, valid }
