'use strict'

/** Removes the Authorization with this value from headers, in upper or lower case. */
function deleteAuthorization(headers, value) {
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === 'authorization' && headers[name] === value) delete headers[name]
  }
}

function isSameOrigin(one, other) {
  return new URL(one).origin === new URL(other).origin
}

module.exports = { deleteAuthorization, isSameOrigin }
