'use strict'

const { TokenManager, oauth2 } = require('../..')
const { fakeAuthorizationServer } = require('../../testing')

const open = []

/** An authorization server that the test's end closes. */
async function server(options) {
  const started = await fakeAuthorizationServer(options)
  open.push(() => started.close())
  return started
}

/** A manager on a server, which the test's end closes. Times are short, so that no test waits long. */
function manager(server, { provider, ...options } = {}) {
  const tokens = new TokenManager({
    provider: oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw', ...provider }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
    ...options,
  })
  open.push(() => tokens.close())
  return tokens
}

/** The next event of that name, or the next one that fits. */
function event(tokens, name, fits = () => true) {
  return new Promise((resolve) => {
    const listener = (payload) => {
      if (!fits(payload)) return
      tokens.off(name, listener)
      resolve(payload)
    }
    tokens.on(name, listener)
  })
}

/** What a promise rejects with; resolving is a failure. */
async function rejection(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

async function closeAll() {
  for (const close of open.splice(0).reverse()) await close()
}

module.exports = { server, manager, event, rejection, closeAll }
