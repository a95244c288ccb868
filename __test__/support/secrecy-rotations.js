'use strict'

// Every failure of a rotation, in virtual time, for the child of secrecy.test.js.

const { oauth2 } = require('../..')
const { createClock, fakeAuthorizationServer } = require('../../lib/testing')

const HOUR = 3_600_000
const MINUTE = 60_000

/**
 * `drive` runs a manager to its end, `rejects` takes down what a call rejects with, `show` what it
 * brings.
 */
async function rotations({ secret }, { drive, rejects, show }) {
  const next = `${secret}-next`
  const loud = (code) => Object.assign(new Error(secret, { cause: secret }), { code, secret })

  /** One manager, on a clock and a server of its own. */
  async function world(where, options, act) {
    const clock = createClock()
    const server = await fakeAuthorizationServer({ clock, clients: { app: [secret, next] } })
    const provider = oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw' })
    const credentials = { clientId: 'app', clientSecret: secret, label: 'current', ...options }
    await drive(where, { provider, credentials, clock }, async (tokens) => {
      await tokens.ready()
      await act({ clock, server, tokens, refused })

      /** What comes to a call while so much time passes. */
      async function refused(millis, promise) {
        const told = rejects(where, promise)
        await clock.advance(millis)
        await told
        show(`${where}: rotation`, tokens.rotation())
      }
    })
    await server.close()
  }

  const persist = (error) => ({ persist: () => Promise.reject(error) })
  await Promise.all([
    world('wrong calls', {}, async ({ tokens }) => {
      for (const odd of [secret, [secret], { clientSecret: [secret] }, { clientSecret: `${secret}\n` }]) {
        await rejects('rotate', tokens.rotate(odd))
        await rejects('prepareRotation', tokens.prepareRotation(odd))
      }
      for (const key of ['expiresAt', 'deadlineMs', 'verify', 'supersede', 'signal', 'clientId', 'secret']) {
        await rejects(`rotate ${key}`, tokens.rotate({ clientSecret: secret, [key]: secret }))
      }
      const url = `https://app:${encodeURIComponent(secret)}@api.example/`
      await rejects('verify', tokens.rotate({ verify: { url } }))
    }),
    world('rejected', {}, async ({ tokens, refused }) => {
      await refused(0, tokens.rotate())
      await refused(MINUTE, tokens.rotate({ clientSecret: `${secret}-wrong` }))
      await refused(0, tokens.prepareRotation({ minRunwayMs: 1000 * HOUR }))
    }),
    world('no answer', {}, async ({ clock, server, tokens, refused }) => {
      server.set({ outage: 503 })
      const unproved = refused(0, tokens.rotate({ clientSecret: next, deadlineMs: HOUR }))
      await clock.advance(0)
      await refused(0, tokens.rotate({ clientSecret: `${secret}-other` }))
      await refused(1000, tokens.rotate({ clientSecret: next, deadlineMs: 1000 }))
      await clock.advance(10 * MINUTE)
      await unproved
    }),
    world('kept nowhere', persist(loud(secret)), ({ tokens, refused }) => {
      return refused(10 * MINUTE, tokens.rotate({ clientSecret: next, deadlineMs: HOUR }))
    }),
    world('cannot be kept', persist(loud('EROFS')), async ({ tokens, refused }) => {
      const rotation = await tokens.rotate({ clientSecret: next, label: 'next' })
      await refused(0, rotation.retireNow())
      await refused(0, rotation.until(secret))
      await refused(0, rotation.until('everywhere'))
    }),
    world('about to end', { expiresAt: Date.UTC(2026, 0, 3) }, ({ clock }) => clock.advance(72 * HOUR)),
    world('all dead', {}, async ({ clock, server, tokens, refused }) => {
      server.setSecrets('app', [])
      tokens.invalidate(tokens.peek())
      await clock.advance(1000)
      await refused(0, tokens.getToken())
      await refused(0, tokens.prepareRotation())
    }),
  ])
}

module.exports = { rotations }
