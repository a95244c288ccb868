'use strict'

// A recipe of docs/http.md for a client that is an ES module only, in one situation. It prints what
// came of it.

const { pathToFileURL } = require('node:url')
const { inspect } = require('node:util')
const { fakeTokens } = require('../../../lib/testing')
const { guardedServer, resourceServer } = require('../resource-server')
const world = require('../world')

const [, , values] = process.argv
const { recipe, situation } = JSON.parse(values)

/** What a request has come to: its status, or the code of what it failed with. */
async function outcome(request) {
  try {
    const { status, statusCode = status } = await request
    return statusCode
  } catch (error) {
    return error.response?.statusCode ?? error.response?.status ?? error.code
  }
}

const tokensOf = ({ requests }) => requests.map(({ token }) => token ?? null)

const SITUATIONS = {
  async revoked({ createApi }) {
    const server = await world.server()
    const tokens = world.manager(server)
    const api = createApi(tokens, server.url)
    const first = await outcome(api.get('api/v2/users/me'))
    server.revoke()
    const outcomes = [first, await outcome(api.get('api/v2/users/me'))]
    return {
      outcomes,
      answers: server.resourceRequests.map(({ status }) => status),
      tokenRequests: server.requests.length,
    }
  },

  async body({ createApi }) {
    const server = await guardedServer(new Set(['test-token-1']))
    const api = createApi(fakeTokens(), server.url)
    const answer = await api.post('api/v2/x', { json: { a: 1 }, headers: { 'x-mine': 'kept' } }).json()
    const mine = server.requests.map(({ headers }) => headers['x-mine'])
    return {
      answer,
      mine,
      sent: server.requests.map(({ body }) => body.toString()),
      tokens: tokensOf(server),
    }
  },

  async stream({ createApi }) {
    const server = await guardedServer(new Set(['test-token-1']))
    const tokens = fakeTokens()
    const form = new globalThis.FormData()
    form.set('file', new globalThis.Blob(['text']), 'a.txt')
    const api = createApi(tokens, server.url)
    const outcomes = [await outcome(api.post('x', { body: form })), await outcome(api.get('x'))]
    return { outcomes, tokens: tokensOf(server) }
  },

  async refused({ createApi }) {
    const server = await guardedServer(new Set(['test-token-1', 'test-token-2']))
    const tokens = fakeTokens()
    const error = await world.rejection(createApi(tokens, server.url).get('api/v2/x'))
    const outcomes = [await outcome(Promise.reject(error))]
    const dropped = tokens.history.filter(({ method }) => method === 'invalidate').map(({ token }) => token)
    return { outcomes, tokens: tokensOf(server), dropped, shown: inspect(error, { depth: 10 }) }
  },

  async stoodBy({ createApi }) {
    const server = await guardedServer(new Set(['only']))
    const tokens = { getToken: async () => 'only', invalidate: () => false, peek: () => 'only' }
    const outcomes = [await outcome(createApi(tokens, server.url).get('api/v2/x'))]
    return { outcomes, tokens: tokensOf(server) }
  },

  async redirected({ createApi }) {
    const tokens = fakeTokens()
    const answers = []
    const server = await resourceServer(({ path }) => {
      if (path === '/back') return {}
      return { status: 302, headers: { location: path === '/near' ? '/back' : `${elsewhere.url}${path}` } }
    })
    const elsewhere = await resourceServer(({ path }) => {
      if (path === '/returning') return { status: 302, headers: { location: `${server.url}/back` } }
      return { status: Number(path.slice(1)) }
    })
    const api = createApi(tokens, server.url)
    for (const path of ['near', '200', '401', 'returning']) answers.push(await outcome(api.get(path)))
    const dropped = tokens.history.filter(({ method }) => method === 'invalidate').length
    return { outcomes: answers, tokens: tokensOf(server), elsewhere: tokensOf(elsewhere), dropped }
  },

  async retried({ createApi }) {
    const tokens = fakeTokens()
    const answers = [{ status: 503, headers: { 'retry-after': '1' } }, {}]
    const server = await resourceServer(({ token }) => {
      const answer = answers.shift()
      if (answer.status) tokens.invalidate(token)
      return answer
    })
    const outcomes = [await outcome(createApi(tokens, server.url).get('api/v2/x'))]
    return { outcomes, tokens: tokensOf(server) }
  },

  async own({ createApi }) {
    const tokens = fakeTokens()
    const server = await resourceServer(() => ({ status: 401 }))
    const headers = { authorization: 'Basic abc' }
    const outcomes = [await outcome(createApi(tokens, server.url).get('api/v2/x', { headers }))]
    const sent = server.requests.map((request) => request.headers.authorization)
    return { outcomes, sent, calls: tokens.history.length }
  },

  async none({ createApi }) {
    const tokens = fakeTokens()
    tokens.failNext()
    const server = await resourceServer()
    const outcomes = [await outcome(createApi(tokens, server.url).post('api/v2/x'))]
    return { outcomes, tokens: tokensOf(server) }
  },
}

async function main() {
  const result = await SITUATIONS[situation](await import(pathToFileURL(recipe)))
  await world.closeAll()
  console.log(JSON.stringify(result))
}

main()
