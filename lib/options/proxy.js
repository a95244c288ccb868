'use strict'

const { delimiter } = require('node:path')
const { isLoopback, isUrl } = require('./url')
const { describe } = require('./values')

function proxy(value, place) {
  if (value === undefined || value === false) return value
  const text = isUrl(value) ? value.href : value
  if (typeof text !== 'string' || text === '') {
    return place.fail(`takes the URL of an http or https proxy, or false for none; got ${describe(value)}.`)
  }
  const { href, problem } = parseProxy(text)
  return href ?? place.fail(`takes the URL of an http or https proxy, or false for none; ${problem}.`)
}

/** The option takes precedence over the environment. NO_PROXY is then ignored. */
function chooseProxy(option, url, place, env) {
  if (option === false || isLoopback(url)) return {}
  if (option !== undefined) return { proxy: option }
  const found = proxyFromEnv(url.protocol, env)
  if (found === undefined) return {}
  const { href, problem } = parseProxy(found.value)
  if (problem !== undefined) {
    const remedy = 'Correct the variable, or set proxy to a URL or to false.'
    return place
      .key('proxy')
      .fail(`comes from the environment variable ${found.variable}, and ${problem}. ${remedy}`)
  }
  const noProxy = noProxyFromEnv(env)
  return noProxy === undefined ? { proxy: href } : { proxy: href, noProxy }
}

/**
 * Returns the full URL of a proxy, or what is wrong with it. As with curl, `host:port` means
 * `http://host:port`.
 */
function parseProxy(text) {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  if (url === undefined || url.hostname === '') return { problem: 'it is not a URL' }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { problem: `${url.protocol.slice(0, -1)} proxies are not supported, only http and https ones` }
  }
  return { href: url.href }
}

/**
 * Returns the proxy that the environment names for a URL, with the name of its variable, or
 * undefined. It follows the rules of curl: the lowercase variable comes first, ALL_PROXY last, and
 * an empty one counts as unset. HTTP_PROXY is ignored if REQUEST_METHOD is set, because a CGI
 * server sets it from a request header.
 */
function proxyFromEnv(protocol, env) {
  const names =
    protocol === 'https:'
      ? ['https_proxy', 'HTTPS_PROXY']
      : ['http_proxy', ...(env.REQUEST_METHOD ? [] : ['HTTP_PROXY'])]
  const variable = [...names, 'all_proxy', 'ALL_PROXY'].find((name) => env[name])
  return variable === undefined ? undefined : { variable, value: env[variable] }
}

/** Returns the hosts that the environment exempts from its proxy. */
function noProxyFromEnv(env) {
  return env.no_proxy || env.NO_PROXY || undefined
}

/**
 * Returns where the environment says that trusted root certificates are, in the variables of
 * Node.js and OpenSSL. `SSL_CERT_DIR` is a list, like PATH.
 */
function rootsFromEnv(env) {
  const directories = (env.SSL_CERT_DIR ?? '').split(delimiter).filter((directory) => directory !== '')
  return {
    rootFile: env.SSL_CERT_FILE || undefined,
    rootDirs: directories.length > 0 ? directories : undefined,
    extraRootFile: env.NODE_EXTRA_CA_CERTS || undefined,
  }
}

module.exports = { chooseProxy, parseProxy, proxy, proxyFromEnv, rootsFromEnv }
