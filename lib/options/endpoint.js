'use strict'

const { textOf } = require('./parsers')
const { isLoopback, urlOf } = require('./url')
const { describeName } = require('./values')

function tokenUrl(value, place) {
  const url = urlOf(value)
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return place.fail(`takes an absolute https URL, got ${describeName(value)}.`)
  }
  if (url.username !== '' || url.password !== '') {
    return place.fail('must not hold a user name or password: the credentials are an option of their own.')
  }
  if (url.hash !== '') return place.fail('must not hold a fragment (RFC 6749 §3.2).')
  return url
}

/**
 * Parses a name. Returns null after reporting a problem, so that a wrong name does not count as
 * missing.
 */
function genesysName(value, place) {
  return value === undefined ? undefined : (textOf(value, place, { what: 'a string', max: 300 }) ?? null)
}

/**
 * Returns the endpoint of a region or host. In tests, a URL of this machine replaces Genesys Cloud.
 */
function genesysUrl({ region, host }, place, genesysHost) {
  if (region !== undefined && host !== undefined) {
    return place.key('host').fail('cannot be combined with region: give one of the two.')
  }
  if (region === undefined && host === undefined) {
    return place.key('region').fail("is required, such as 'us_east_1' or 'sa_east_1'; or give host.")
  }
  const name = region ?? host
  if (region === null || host === null) return undefined
  const at = place.key(region === undefined ? 'host' : 'region')
  const url = /^https?:\/\//i.test(name) && region === undefined ? urlOf(name) : undefined
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    return at.fail('must not hold a user name or password: the credentials are an option of their own.')
  }
  if (url !== undefined && isLoopback(url)) return new URL('/oauth/token', url)

  const answer = JSON.parse(genesysHost(url?.host ?? name))
  if (answer.error !== undefined) return at.fail(`is not usable: ${answer.error.replace(/\.?$/, '.')}`)
  const endpoint = urlOf(`${url?.protocol ?? 'https:'}//${answer.host}/oauth/token`)
  if (endpoint?.pathname !== '/oauth/token' || endpoint.username !== '') {
    return at.fail(`takes the name of a host, such as 'login.mypurecloud.com', got ${describeName(name)}.`)
  }
  const { href, hostname, protocol } = endpoint
  const warning = answer.corrected
    ? `${at.path} ${describeName(name)} is Genesys Cloud's API; tokens come from ${answer.host}, which is used instead.`
    : undefined
  return { href, hostname, protocol, warning }
}

module.exports = { genesysName, genesysUrl, tokenUrl }
