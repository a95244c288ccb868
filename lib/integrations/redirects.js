'use strict'

const { authorizationOf } = require('../authorized-request')

/** Takes an Authorization out of headers, whatever its case; another one stays. */
function deleteAuthorization(headers, value) {
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === 'authorization' && headers[name] === value) delete headers[name]
  }
}

function isSameOrigin(one, other) {
  return new URL(one).origin === new URL(other).origin
}

/** Not every version of axios takes the token off on the way to another origin: to a subdomain, to https. */
function withdrawElsewhere({ url, headers }) {
  const sent = authorizationOf(headers)
  return {
    beforeRedirect(target) {
      if (!isSameOrigin(target.href, url)) deleteAuthorization(target.headers, sent)
    },
  }
}

/** The SDK asks for its own class. What is set while it is there stays; another client may have private fields. */
function standIn(inner, own) {
  const get = (_, name) => {
    if (name in own) return own[name]
    const isMethod = typeof inner[name] === 'function' && !Object.hasOwn(inner, name)
    return isMethod ? inner[name].bind(inner) : inner[name]
  }
  return new Proxy(inner, { get })
}

module.exports = { deleteAuthorization, isSameOrigin, standIn, withdrawElsewhere }
