'use strict'

// The client that the demo's authorization server knows. It loads nothing else, since start-up is
// measured with it.

const CLIENT = { id: 'app', secret: 'secret' }

/** Returns a manager's options for this client. */
function managerOptions({ tokenUrl }) {
  const { oauth2 } = require('..')
  return {
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: CLIENT.id, clientSecret: CLIENT.secret },
  }
}

module.exports = { CLIENT, managerOptions }
