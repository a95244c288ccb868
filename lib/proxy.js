'use strict'

/**
 * The proxy and the certificate authorities that the environment asks for, as curl and Node understand it.
 *
 * Native code must not read the environment while JavaScript may write it, so this is done here, once.
 */
function fromEnvironment(env, tokenUrl, proxy) {
  const read = (name) => env[name] || undefined
  const either = (name) => read(name.toLowerCase()) ?? read(name)
  // In CGI, HTTP_PROXY is a header of the request being served ("httpoxy"): only the lower case counts.
  const forHttp = read('http_proxy') ?? (env.REQUEST_METHOD ? undefined : read('HTTP_PROXY'))
  const ofScheme = tokenUrl.startsWith('https:') ? either('HTTPS_PROXY') : forHttp
  const url = proxy === undefined ? withScheme(ofScheme ?? either('ALL_PROXY')) : proxy || undefined
  return {
    proxy: url,
    noProxy: url && either('NO_PROXY'),
    rootFile: read('SSL_CERT_FILE'),
    rootDir: read('SSL_CERT_DIR'),
    extraRootFile: read('NODE_EXTRA_CA_CERTS'),
  }
}

/** `proxy.example.com:3128` is how people write a proxy in the environment. */
function withScheme(address) {
  if (address === undefined) return undefined
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`
}

module.exports = { fromEnvironment }
