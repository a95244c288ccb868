'use strict'

const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const http = require('node:http')
const { resourceServer } = require('./resource-server')

const WORKERS = 8
/** Every so manieth request is answered with a redirect to another origin. */
const AWAY = 50

/**
 * Requests through a client without a pause, until `stop()`, to an API whose tokens end as the
 * server says. What became of them is counted, and what was on the wire is watched.
 */
class HttpLoad {
  succeeded = 0
  failures = []
  /** Requests that were handed to a pool. */
  handedOver = 0
  /** Those of them with a token that had been dropped. */
  sentDropped = 0
  #client
  #trap
  #dropped = new Set()
  #isOver = false
  #workers
  #unwatch

  /** `client` is one of CLIENTS. */
  static async start({ server, tokens, client: { open, isWatching } }) {
    const load = new HttpLoad()
    load.#trap = await resourceServer(() => ({ body: '{}' }))
    const api = await apiOf(server, load.#trap)
    const watch = (origin, authorization) => {
      if (origin !== api.url) return
      load.handedOver += 1
      if (load.#dropped.has(authorization?.replace('Bearer ', ''))) load.sentDropped += 1
    }
    load.#client = open({ url: api.url, tokens: load.#watched(tokens), watch })
    load.#unwatch = isWatching ? () => {} : watchPools(watch)
    load.#workers = Array.from({ length: WORKERS }, (_, index) => load.#work(index))
    return load
  }

  /** Tokens that reached another origin. */
  get strayed() {
    return this.#trap.requests.filter(({ headers }) => headers.authorization !== undefined)
  }

  /** How many requests were redirected to another origin. */
  get redirected() {
    return this.#trap.requests.length
  }

  async stop() {
    this.#isOver = true
    await Promise.all(this.#workers)
    this.#unwatch()
    await this.#client.close()
  }

  /** The same tokens; those that a call dropped are known. */
  #watched(tokens) {
    return {
      getToken: (options) => tokens.getToken(options),
      peek: () => tokens.peek(),
      invalidate: (token) => {
        const isDropped = tokens.invalidate(token)
        if (isDropped) this.#dropped.add(token)
        return isDropped
      },
    }
  }

  async #work(index) {
    for (let count = index; !this.#isOver; count += WORKERS) {
      const path = count % AWAY === 0 ? '/away' : '/api/v2/conversations'
      try {
        const { status } = await this.#client.send(
          count % 3 === 0 ? { path } : { path, method: 'POST', body: '{"a":1}' },
        )
        if (status >= 200 && status < 300) this.succeeded += 1
        else this.failures.push(`${path}: status ${status}`)
      } catch (error) {
        this.failures.push(`${path}: ${error?.code ?? error?.message}`)
      }
    }
  }
}

/** An API in front of the fake one, with redirects to another origin. */
function apiOf(server, trap) {
  const agent = new http.Agent({ keepAlive: true })
  return resourceServer(async ({ method, path, headers, body, token }) => {
    if (path === '/away' && token !== undefined) return { status: 307, headers: { Location: `${trap.url}/` } }
    return new Promise((resolve, reject) => {
      const { authorization } = headers
      const options = { agent, method, headers: { ...(authorization && { authorization }) } }
      const forwarded = http.request(`${server.url}${path}`, options, async (response) => {
        const chunks = []
        for await (const chunk of response) chunks.push(chunk)
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) })
      })
      forwarded.on('error', reject).end(body)
    })
  })
}

/**
 * Tells of each request in the moment in which the global `fetch` or `http` hands it to its pool.
 */
function watchPools(tell) {
  // A list of names and values, or their text, after the version of undici that is built in.
  const onFetch = ({ request: { origin, headers } }) =>
    tell(origin, /^authorization(?:: ?|\n)(.*)$/im.exec([].concat(headers).join('\n'))?.[1])
  const { addRequest } = http.Agent.prototype
  http.globalAgent.addRequest = function (request, ...args) {
    tell(`http://${request.getHeader('host')}`, request.getHeader('authorization'))
    return addRequest.call(this, request, ...args)
  }
  subscribe('undici:request:create', onFetch)
  return () => {
    delete http.globalAgent.addRequest
    unsubscribe('undici:request:create', onFetch)
  }
}

module.exports = { HttpLoad }
