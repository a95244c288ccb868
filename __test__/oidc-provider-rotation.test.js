'use strict'

const { oidcProvider } = require('./support/oidc-provider')
const { closeAll, closing, event, manager, rejection } = require('./support/world')

afterEach(closeAll)

const API = { id: 'api', secret: 'of the API', clientAuth: 'basic' }
const APP = { id: 'app', secret: 'first', clientAuth: 'basic' }

/**
 * The server, a manager on it whose client is `app`, and requests that carry its token the whole time: an
 * API asks the server about each.
 */
async function world(clients = []) {
  const server = closing(await oidcProvider([API, APP, ...clients]))
  const tokens = manager(server, {
    provider: { clientAuth: 'basic', scope: 'read' },
    credentials: { clientId: 'app', clientSecret: 'first' },
    overlapMs: 1000,
  })
  await tokens.ready()
  const answers = []
  const request = async () => answers.push(await server.introspect(API, await tokens.getToken()))
  let isOver = false
  const requests = (async () => {
    while (!isOver) await request()
  })()
  return {
    server,
    tokens,
    /** Answers of the API to requests from before, during and after what happened in between. */
    async answers() {
      await request()
      isOver = true
      await requests
      return answers
    },
    presented: async (clientId = 'app') =>
      (await server.presented()).filter((one) => one.clientId === clientId),
  }
}

const isRetired = ({ change }) => change === 'retired'

test('a client with two secrets is rotated from one to the other, and no request fails', async () => {
  const { server, tokens, answers, presented } = await world()
  await server.setSecrets('app', ['first', 'second'])
  const retired = event(tokens, 'rotation', isRetired)
  const rotation = await tokens.rotate({ clientSecret: 'second' })
  expect(rotation.phase).toBe('overlap')
  await rotation.until('retired')
  const retiredAt = (await retired).at.getTime()
  await server.setSecrets('app', ['second'])
  const held = tokens.peek()
  tokens.invalidate(held)
  expect(await tokens.getToken()).not.toBe(held)

  expect((await answers()).every(({ active, client_id: id }) => active && id === 'app')).toBe(true)
  const seen = await presented()
  expect(seen.every(({ isAccepted }) => isAccepted)).toBe(true)
  expect(seen.map(({ secret }) => secret)).toEqual(['first', 'second', 'second'])
  expect(seen.filter(({ at, secret }) => secret === 'first' && at > retiredAt)).toEqual([])

  // The server means it.
  const { tokenUrl } = server
  const credentials = { clientId: 'app', clientSecret: 'first' }
  const error = await rejection(
    manager({ tokenUrl }, { provider: { clientAuth: 'basic' }, credentials }).ready(),
  )
  expect(error.cause).toMatchObject({ code: 'ERR_CREDENTIAL_REJECTED', oauthError: 'invalid_client' })
})

test('a secret that the client does not have is given up, and no request fails', async () => {
  const { tokens, answers, presented } = await world()
  const error = await rejection(tokens.rotate({ clientSecret: 'third' }))
  expect(error.code).toBe('ERR_CANDIDATE_REJECTED')
  expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1 })
  expect((await answers()).every(({ active }) => active)).toBe(true)
  const refused = (await presented()).filter(({ isAccepted }) => !isAccepted)
  expect(refused.map(({ secret }) => secret)).toEqual(['third', 'third', 'third'])
})

test('another client takes over, and the one before is not used again', async () => {
  const { server, tokens, answers, presented } = await world([
    { id: 'green', secret: 'of green', clientAuth: 'basic' },
  ])
  const rotation = await tokens.rotate({ clientId: 'green', clientSecret: 'of green' })
  await rotation.until('retired')
  await server.setSecrets('app', [])
  tokens.invalidate(tokens.peek())
  await tokens.getToken()
  const all = await answers()
  expect(all.every(({ active }) => active)).toBe(true)
  expect(all.at(-1).client_id).toBe('green')
  expect((await presented('app')).map(({ secret }) => secret)).toEqual(['first'])
  expect(await presented('green')).toHaveLength(2)
})
