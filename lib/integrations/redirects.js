'use strict'

/** Removes an Authorization from headers, in upper or lower case. Another one stays. */
function deleteAuthorization(headers, value) {
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === 'authorization' && headers[name] === value) delete headers[name]
  }
}

function isSameOrigin(one, other) {
  return new URL(one).origin === new URL(other).origin
}

module.exports = { deleteAuthorization, isSameOrigin }
