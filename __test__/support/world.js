'use strict'

const { TokenManager, oauth2 } = require('../..')
const { nextEvent: event } = require('../../demo/events')
const { forkServer } = require('../../demo/server')
const { createClock, fakeAuthorizationServer } = require('../../lib/testing')

const open = []

/** Has the test's end call this, whether it passes or fails. */
function atEnd(close) {
  open.push(close)
}

/** Something with a `close()`, which the test's end calls. */
function closing(opened) {
  atEnd(() => opened.close())
  return opened
}

/** An authorization server that the test's end closes. */
async function server(options) {
  return closing(await fakeAuthorizationServer(options))
}

/** The same in a process of its own, for tests that block the event loop. */
async function forkedServer(options) {
  return closing(await forkServer(options))
}

/**
 * A manager on a server, which the test's end closes. Times are short, so that no test waits long.
 */
function manager(server, { provider, ...options } = {}) {
  return closing(
    new TokenManager({
      provider: oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw', ...provider }),
      credentials: { clientId: 'app', clientSecret: 'secret' },
      ...options,
    }),
  )
}

/** A clock, a server on it, and how to open managers on both, without jitter. */
async function virtualWorld(knobs) {
  const clock = createClock()
  const provider = await server({ clock, ...knobs })
  return {
    clock,
    server: provider,
    open: (options) => manager(provider, { clock, jitterRatio: 0, ...options }),
  }
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

/** Closes everything; one that fails to close keeps none of the others open. */
async function closeAll() {
  const failures = []
  for (const close of open.splice(0).reverse()) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

module.exports = { atEnd, closing, server, forkedServer, manager, virtualWorld, event, rejection, closeAll }
