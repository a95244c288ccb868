'use strict'

// What the adapters of HTTP clients add to a request while a token is held.

const http = require('node:http')
const { TokenManager } = require('..')
const { attach } = require('../lib/integrations/axios')
const { createFetch } = require('../lib/integrations/fetch')
const { createInterceptor } = require('../lib/integrations/undici')
const { managerOptions } = require('./client')
const { COPIES, ROUNDS, SAMPLE_MS, cpuClock, measure, variant, wallClock } = require('./harness')
const peers = require('./peers')
const { startResource } = require('./resource-server')

const MOST_MICROS = { undici: 1, axios: 3 }
const HTTP_ROUNDS = 3 * ROUNDS
/** A request over HTTP runs so much code that V8 takes long to optimize all of it. */
const HTTP_WARM_UP_MS = 3000
const ORIGIN = 'https://api.example.com'
const PATH = '/api/v2/users/me'
const BODY = Buffer.from(JSON.stringify({ id: 1, name: 'one' }))
const HEADERS = { 'content-type': 'application/json', 'content-length': String(BODY.length) }

const METHOD =
  `${ROUNDS} rounds of the rows of a table in turns, ${SAMPLE_MS} ms a sample; each loop is compiled ${COPIES} times, ` +
  'and the median counts. What is added is the difference of the medians: that of p10 would leave out samples ' +
  'with more garbage to collect'

/** The handlers of undici 6 and of later versions, and how their clients call them. */
const OLD_HANDLER = {
  handler: { onConnect() {}, onHeaders: () => true, onData: () => true, onComplete() {}, onError() {} },
  answer: (handler) => {
    handler.onConnect(ignore)
    handler.onRequestSent?.()
    handler.onResponseStarted?.()
    handler.onHeaders(200, RAW_HEADERS, ignore, 'OK')
    handler.onData(BODY)
    handler.onComplete([])
  },
}
const NEW_HANDLER = {
  handler: {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd() {},
    onResponseError() {},
  },
  answer: (handler) => {
    handler.onRequestStart(CONTROLLER, undefined)
    handler.onRequestSent?.()
    handler.onResponseStarted?.()
    handler.onResponseStart(CONTROLLER, 200, HEADERS, 'OK')
    handler.onResponseData(CONTROLLER, BODY)
    handler.onResponseEnd(CONTROLLER, {})
  },
}
const RAW_HEADERS = Object.entries(HEADERS)
  .flat()
  .map((text) => Buffer.from(text))
const CONTROLLER = {
  paused: false,
  aborted: false,
  reason: null,
  abort: ignore,
  pause: ignore,
  resume: ignore,
}

const UNDICI = [
  { name: 'undici-6', ...OLD_HANDLER },
  { name: 'undici-7', ...NEW_HANDLER },
  { name: 'undici-8', ...NEW_HANDLER },
]

/** What a request costs with an adapter and without it: in memory, and over HTTP. Returns the targets. */
async function adapters(results, { server }) {
  const tokens = new TokenManager({ ...managerOptions(server), strict: false })
  await tokens.ready()
  results.section('What the adapters add to a request while a token is held')
  results.say(`In memory: nothing is sent. ${METHOD}. ${cpuClock.name}.`)
  const targets = []
  for (const version of UNDICI) targets.push(...(await undiciInMemory(results, tokens, version)))
  targets.push(await axiosInMemory(results, tokens, server))
  await fetchInMemory(results, tokens)
  await overHttp(results, tokens)
  await tokens.close()
  return targets
}

async function undiciInMemory(results, tokens, { name, handler, answer }) {
  const undici = loaded(name)
  if (!undici) {
    results.say(`${name} was left out: it does not load in this version of Node.js.`)
    return []
  }
  class Memory extends undici.Dispatcher {
    dispatch(opts, each) {
      answer(each)
      return true
    }
  }
  const opts = { origin: ORIGIN, path: PATH, method: 'GET', headers: { accept: 'application/json' } }
  const composed = (title, ...interceptors) =>
    variant(
      title,
      { dispatcher: new Memory().compose(...interceptors), opts, handler },
      'subject.dispatcher.dispatch(subject.opts, subject.handler)',
      { isSync: true },
    )
  const title = `undici ${versionOf(name)}`
  const rows = await measure([
    composed(title),
    composed('with `createInterceptor`', createInterceptor(tokens, { origins: [ORIGIN] })),
    composed('with its own `interceptors.retry`', undici.interceptors.retry()),
  ])
  results.table(table(rows))
  return [
    {
      ...addedTarget(title, rows, MOST_MICROS.undici),
      reason: `undici's own \`interceptors.retry\` adds ${micros(added(rows[0], rows[2]))} µs`,
    },
  ]
}

async function axiosInMemory(results, tokens, server) {
  const axios = require('axios')
  const adapter = async (config) => ({
    status: 200,
    statusText: 'OK',
    headers: HEADERS,
    data: BODY.toString(),
    config,
    request: {},
  })
  const instance = (title, prepare = ignore) => {
    const api = axios.create({ baseURL: ORIGIN, adapter })
    prepare(api)
    return variant(title, { api, path: PATH }, 'await subject.api.get(subject.path)')
  }
  const getToken = await peers.axiosTokenInterceptor(server)
  const headerFormatter = ({ token }) => `Bearer ${token}`
  const title = peers.title('axios')
  const rows = await measure([
    instance(title),
    instance('with `attach`', (api) => attach(api, tokens)),
    instance('with two interceptors by hand', (api) => interceptByHand(api, tokens)),
    instance(`with ${peers.title('axios-token-interceptor')}`, ({ interceptors }) => {
      interceptors.request.use(require('axios-token-interceptor')({ getToken, headerFormatter }))
    }),
  ])
  results.table(table(rows))
  return {
    ...addedTarget(title, rows, MOST_MICROS.axios),
    reason:
      `two interceptors by hand add ${micros(added(rows[0], rows[2]))} µs; most of the rest is that axios normalizes all ` +
      'headers once more for the transform that puts the token in after all interceptors',
  }
}

/** As a service writes them. */
function interceptByHand(api, tokens) {
  api.interceptors.request.use(async (config) => {
    config.headers.Authorization = `Bearer ${await tokens.getToken()}`
    return config
  })
  api.interceptors.response.use(undefined, async (error) => {
    const { config, response } = error
    if (response?.status !== 401 || config.isReplay) throw error
    tokens.invalidate(String(config.headers.Authorization).slice('Bearer '.length))
    return api({ ...config, isReplay: true })
  })
}

async function fetchInMemory(results, tokens) {
  const { Headers } = globalThis
  const url = ORIGIN + PATH
  const response = { status: 200, headers: new Headers(HEADERS), redirected: false, url, body: null }
  const memory = async () => response
  const fetching = (title, send) =>
    variant(
      title,
      { send, url, init: { headers: { accept: 'application/json' } } },
      'await subject.send(subject.url, subject.init)',
    )
  const rows = await measure([
    fetching('a `fetch` in memory', memory),
    fetching('with `createFetch`', createFetch(tokens, { origins: [ORIGIN], fetch: memory })),
  ])
  results.table(table(rows))
}

/** Each request waits for the server, so that one compiled copy of a loop is as good as another. */
async function overHttp(results, tokens) {
  const resource = await startResource()
  const libraries = [undiciOverHttp(resource, tokens), axiosOverHttp(resource, tokens)]
  results.say(
    'Over HTTP to a server in a child process (loopback, keep-alive), one request after the other, ' +
      `${HTTP_ROUNDS} rounds, each loop compiled once. The longer request is a part of what is added.`,
  )
  for (const { clients, close } of libraries) {
    const rows = await measure(
      [cpuClock, wallClock].flatMap((clock) =>
        clients.map(([name, send]) => variant(name, { send }, 'await subject.send()', { clock, copies: 1 })),
      ),
      { rounds: HTTP_ROUNDS, warmUpMs: HTTP_WARM_UP_MS },
    )
    const [onCpu, onWall] = [rows.slice(0, clients.length), rows.slice(clients.length)]
    results.say(`${cpuClock.name}, then ${wallClock.name}:`)
    results.table(table(onCpu))
    results.table(table(onWall))
    await close()
  }
  await resource.close()
}

function undiciOverHttp({ url }, tokens) {
  const undici = require('undici-7')
  const agent = new undici.Agent()
  const by = (dispatcher) => async () => {
    const { body } = await undici.request(url + PATH, { dispatcher })
    return body.json()
  }
  const byHand = (dispatch) => (opts, handler) =>
    dispatch({ ...opts, headers: { ...opts.headers, authorization: `Bearer ${tokens.peek()}` } }, handler)
  return {
    clients: [
      [`undici ${versionOf('undici-7')}`, by(agent)],
      ['with `createInterceptor`', by(agent.compose(createInterceptor(tokens, { origins: [url] })))],
      ['with a header by hand', by(agent.compose(byHand))],
    ],
    close: () => agent.close(),
  }
}

function axiosOverHttp({ url }, tokens) {
  const httpAgent = new http.Agent({ keepAlive: true })
  const by = (prepare) => {
    const api = require('axios').create({ baseURL: url, adapter: 'http', proxy: false, httpAgent })
    prepare(api)
    return async () => (await api.get(PATH)).data
  }
  return {
    clients: [
      [peers.title('axios'), by(ignore)],
      ['with `attach`', by((api) => attach(api, tokens))],
      ['with two interceptors by hand', by((api) => interceptByHand(api, tokens))],
    ],
    close: () => httpAgent.destroy(),
  }
}

/** What a row takes beyond another, in nanoseconds. */
function added(base, row) {
  return row.p50 - base.p50
}

function addedTarget(title, [base, ours], mostMicros) {
  const nanos = added(base, ours)
  return {
    name: `${title} ${ours.name}, added to a request`,
    target: `≤ ${mostMicros} µs`,
    measured: `${micros(nanos)} µs`,
    isReached: nanos <= mostMicros * 1000,
  }
}

function table(rows) {
  const [base] = rows
  return [
    ['Request', 'µs p10', 'µs p50', 'µs p90', 'Added to p50'],
    ...rows.map((row) => [
      row.name,
      ...[row.p10, row.p50, row.p90].map(micros),
      row === base ? '' : micros(added(base, row)),
    ]),
  ]
}

function micros(nanos) {
  return (nanos / 1000).toFixed(nanos < 100_000 ? 2 : 0)
}

/** Undefined where the version does not load: the later ones need a later Node.js. */
function loaded(name) {
  try {
    return require(name)
  } catch {
    return undefined
  }
}

function versionOf(name) {
  return require(`${name}/package.json`).version
}

function ignore() {}

module.exports = { adapters }
