'use strict'

const { virtualWorld } = require('./world')

const HOUR = 3_600_000
const MINUTE = 60_000
/** What lies between two refreshes at least, also after an `invalidate()`. */
const SECOND = 1000

/** Of one client: the secret of the start, and two others. */
const OLD = { label: 'old', clientId: 'app', clientSecret: 'old' }
const NEW = { label: 'new', clientId: 'app', clientSecret: 'new' }
const OTHER = { label: 'other', clientId: 'app', clientSecret: 'other' }

/**
 * A clock, a server that accepts all three secrets, after these answers, and a manager on them that
 * has its first token.
 */
async function rotationWorld({ knobs, answers = [], ...options } = {}) {
  const world = await virtualWorld({ clients: { app: ['old', 'new', 'other'] }, ...knobs })
  world.server.respond(...answers)
  const tokens = world.open({ credentials: OLD, ...options })
  const changes = []
  tokens.on('rotation', ({ change }) => changes.push(change))
  await settled(world.clock, 0, tokens.ready())
  const presented = () => world.server.requests.map(({ presented: secret }) => secret)
  return { ...world, tokens, changes, presented }
}

/** What a call comes to while the clock advances by so much. */
async function settled(clock, millis, promise) {
  promise.catch(() => {})
  await clock.advance(millis)
  return promise
}

/** Whether a promise is still pending after everything that is due now. */
async function isPending(clock, promise) {
  let isOver = false
  const over = () => (isOver = true)
  promise.then(over, over)
  await clock.advance(0)
  return !isOver
}

/** The roles of all known credentials by their labels, or by their client ids. */
function roles(tokens) {
  const { credentials } = tokens.status()
  return Object.fromEntries(credentials.map(({ label, clientId, role }) => [label ?? clientId, role]))
}

/** Whose secret it is, without the secret. */
function named({ label, clientId }) {
  return { credentialId: expect.stringMatching(/^[0-9a-f]{16}$/), label, clientId }
}

module.exports = { HOUR, MINUTE, SECOND, OLD, NEW, OTHER, rotationWorld, settled, isPending, roles, named }
