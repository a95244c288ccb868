'use strict'

const { oidcProvider } = require('./support/oidc-provider')
const { closeAll, event, manager, rejection } = require('./support/world')

const API = { id: 'api', secret: 'of the API', clientAuth: 'basic' }
const CLIENTS = ['two', 'one', 'blue', 'green'].map((id) => ({ id, secret: 'first', clientAuth: 'basic' }))

/** Between requests of the application. */
const PAUSE_MS = 10

let server

beforeAll(async () => {
  server = await oidcProvider([API, ...CLIENTS])
})
afterEach(closeAll)
afterAll(() => server.close())

const open = (clientId, options) =>
  manager(server, {
    provider: { clientAuth: 'basic', scope: 'read' },
    credentials: { clientId, clientSecret: 'first' },
    ...options,
  })

/**
 * A manager for this client, and requests that carry its token the whole time: an API asks the
 * server about each.
 */
async function busy(clientId) {
  const tokens = open(clientId, { overlapMs: 1000 })
  await tokens.ready()
  const answers = []
  const request = async () => answers.push(await server.introspect(API, await tokens.getToken()))
  let isOver = false
  const requests = (async () => {
    while (!isOver) {
      await request()
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  })()
  /** What the API learned of requests before, during and after what happened in between. */
  const answered = async () => {
    await request()
    isOver = true
    await requests
    return answers
  }
  return { tokens, answered }
}

/** Which secrets of a client the server has seen. */
async function presented(clientId) {
  return (await server.presented()).filter((one) => one.clientId === clientId)
}

test('a client with two secrets is rotated from one to the other, and no request fails', async () => {
  const { tokens, answered } = await busy('two')
  await server.setSecrets('two', ['first', 'second'])
  const retired = event(tokens, 'rotation', ({ change }) => change === 'retired')
  const rotation = await tokens.rotate({ clientSecret: 'second' })
  expect(rotation.phase).toBe('overlap')
  await rotation.until('retired')
  const retiredAt = (await retired).at.getTime()
  await server.setSecrets('two', ['second'])
  const held = tokens.peek()
  tokens.invalidate(held)
  expect(await tokens.getToken()).not.toBe(held)

  expect((await answered()).every(({ active, client_id: id }) => active && id === 'two')).toBe(true)
  const seen = await presented('two')
  expect(seen.map(({ secret }) => secret)).toEqual(['first', 'second', 'second'])
  expect(seen.every(({ isAccepted }) => isAccepted)).toBe(true)
  expect(seen.filter(({ at, secret }) => secret === 'first' && at > retiredAt)).toEqual([])

  // The server means it.
  const { cause } = await rejection(open('two').ready())
  expect(cause).toMatchObject({ code: 'ERR_CREDENTIAL_REJECTED', oauthError: 'invalid_client' })
})

test('a secret that the client does not have is given up, and no request fails', async () => {
  const { tokens, answered } = await busy('one')
  const error = await rejection(tokens.rotate({ clientSecret: 'third' }))
  expect(error.code).toBe('ERR_CANDIDATE_REJECTED')
  expect(tokens.status()).toMatchObject({ phase: 'stable', generation: 1 })
  expect((await answered()).every(({ active }) => active)).toBe(true)
  const refused = (await presented('one')).filter(({ isAccepted }) => !isAccepted)
  expect(refused.map(({ secret }) => secret)).toEqual(['third', 'third', 'third'])
})

test('another client takes over, and the one before is not used again', async () => {
  const { tokens, answered } = await busy('blue')
  const rotation = await tokens.rotate({ clientId: 'green', clientSecret: 'first' })
  await rotation.until('retired')
  await server.setSecrets('blue', [])
  tokens.invalidate(tokens.peek())
  await tokens.getToken()
  const answers = await answered()
  expect(answers.every(({ active }) => active)).toBe(true)
  expect([answers[0].client_id, answers.at(-1).client_id]).toEqual(['blue', 'green'])
  expect(await presented('blue')).toHaveLength(1)
  expect(await presented('green')).toHaveLength(2)
})
