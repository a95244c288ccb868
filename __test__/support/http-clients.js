'use strict'

const { attach: attachToAxios } = require('../../lib/integrations/axios')
const { createFetch } = require('../../lib/integrations/fetch')
const { attach: attachToSdk } = require('../../lib/integrations/genesys')
const { createInterceptor } = require('../../lib/integrations/undici')

const [nodeMajor] = process.versions.node.split('.').map(Number)

/** Later ones do not load in older versions of Node.js. */
const UNDICI = ['undici-6', 'undici-7', ...(nodeMajor >= 22 ? ['undici-8'] : [])]

/**
 * The clients that there are adapters for. `open({ url, tokens, options })` returns `send({ path,
 * method, headers, body, signal })`, which resolves with `{ status, body }` whatever the status is,
 * and `close()`. One that `isWatching` also calls `watch(origin, authorization)` for each request
 * that it hands to the pool.
 */
const CLIENTS = [
  ...UNDICI.map((name) => ({
    name,
    isWatching: true,
    open: (world) => openUndici(require(name), { pipelining: 1 }, world),
  })),
  ...UNDICI.map((name) => ({
    name: `${name} with pipelining`,
    isWatching: true,
    open: (world) => openUndici(require(name), { pipelining: 10, connections: 2 }, world),
  })),
  { name: 'fetch', open: (world) => openFetch({}, world) },
  ...['axios', 'axios-oldest'].map((name) => ({
    name: `${name} over http`,
    open: (world) => openAxios(require(name), { adapter: 'http' }, world),
  })),
  { name: 'axios over fetch', open: (world) => openAxios(require('axios'), { adapter: 'fetch' }, world) },
  ...['purecloud-platform-client-v2', 'genesys-oldest'].map((name) => ({
    name,
    isSdk: true,
    open: (world) => openSdk(require(name), world),
  })),
]

function openUndici(undici, agentOptions, { url, tokens, options, watch }) {
  const agent = new undici.Agent(agentOptions)
  const dispatcher = agent.compose(
    watching(watch),
    createInterceptor(tokens, { origins: [url], ...options }),
    undici.interceptors.redirect({ maxRedirections: 3 }),
  )
  return {
    async send({ path, ...request }) {
      const response = await undici.request(url + path, { dispatcher, ...request })
      return { status: response.statusCode, body: await response.body.text() }
    },
    close: () => agent.destroy(),
  }
}

/** The last interceptor before the pool: it tells of the headers that are handed to that. */
function watching(watch = () => {}) {
  return (dispatch) => (opts, handler) => {
    watch(opts.origin, opts.headers?.authorization)
    return dispatch(opts, handler)
  }
}

function openFetch(fetchOptions, { url, tokens, options }) {
  const send = createFetch(tokens, { origins: [url], ...fetchOptions, ...options })
  return {
    async send({ path, ...request }) {
      const response = await send(
        url + path,
        request.body === undefined ? request : { duplex: 'half', ...request },
      )
      return { status: response.status, body: await response.text() }
    },
    close() {},
  }
}

function openAxios(axios, axiosOptions, { url, tokens, options }) {
  // Also where the environment names one.
  const instance = axios.create({ baseURL: url, responseType: 'text', proxy: false, ...axiosOptions })
  attachToAxios(instance, tokens, options)
  return {
    async send({ path, body: data, ...request }) {
      const { status, data: body } = await instance.request({ url: path, data, ...request }).catch(answerOf)
      return { status, body: String(body) }
    },
    instance,
    close() {},
  }
}

function answerOf(error) {
  if (error.response) return error.response
  throw error
}

function openSdk({ ApiClient }, { url, tokens, options }) {
  const client = sdkClient(ApiClient, url)
  client.setReturnExtendedResponses(true)
  attachToSdk(client, tokens, options)
  return {
    async send({ path, method = 'GET', headers = {}, body }) {
      const call = client.callApi(
        path,
        method,
        {},
        {},
        headers,
        {},
        body,
        ['PureCloud OAuth'],
        [],
        ['text/plain'],
      )
      const answer = await call.catch((error) => {
        if (error?.status) return error
        throw error
      })
      return {
        status: answer.status,
        body: typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body),
      }
    },
    client,
    close() {},
  }
}

/**
 * A client of the SDK without its watch on a file, which outlives a test; nor has the one that the
 * SDK makes itself.
 */
function sdkClient(ApiClient, url) {
  const client = new ApiClient.constructor()
  for (const { config } of [client, ApiClient.instance]) config.live_reload_config = false
  client.config.basePath = url
  return client
}

module.exports = { CLIENTS, UNDICI, sdkClient }
