'use strict'

// The client that the demo's authorization server knows. It loads nothing besides, as start-up is measured with it.

const CLIENT = { id: 'app', secret: 'secret' }

/** A manager's options for it. */
function managerOptions({ tokenUrl }) {
  const { oauth2 } = require('..')
  return {
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: CLIENT.id, clientSecret: CLIENT.secret },
  }
}

module.exports = { CLIENT, managerOptions }
