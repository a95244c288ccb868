'use strict'

const { callApi } = require('./support/token-client')
const { closeAll, manager, server } = require('./support/world')

afterEach(closeAll)

// docs/options.md, "One token at a time": a server that ends a client's earlier tokens with each
// new one.

const clients = { blue: 'secret', green: 'secret' }
const status = async (provider, token) => (await callApi(provider, '/anything', token)).status

/** Two managers of one process, one after the other, and the statuses that their tokens get. */
async function two(first, second) {
  const provider = await server({ clients, maxLiveTokens: 1 })
  const tokens = []
  for (const { clientId = 'blue', name } of [first, second]) {
    const credentials = { clientId, clientSecret: 'secret' }
    tokens.push(await manager(provider, { name, credentials }).getToken())
  }
  return Promise.all(tokens.map((token) => status(provider, token)))
}

test('two managers with one client end each other’s tokens', async () => {
  expect(await two({}, {})).toEqual([401, 200])
})

test('managers of one name share the one token', async () => {
  expect(await two({ name: 'shared' }, { name: 'shared' })).toEqual([200, 200])
})

test('each with a client of its own keeps its token', async () => {
  expect(await two({ clientId: 'blue' }, { clientId: 'green' })).toEqual([200, 200])
})
