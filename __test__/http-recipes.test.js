'use strict'

const { EventEmitter, once } = require('node:events')
const { mkdirSync, readFileSync, symlinkSync } = require('node:fs')
const path = require('node:path')

const WebSocket = require('ws')

const { notifications } = require('./support/notifications')
const { child, until } = require('./support/process')
const { createProject, removeDirectories } = require('./support/project')
const { atEnd, closeAll, event, virtualWorld } = require('./support/world')

const ROOT = path.join(__dirname, '..')
const guide = readFileSync(path.join(ROOT, 'docs/http.md'), 'utf8')

/** The blocks of code under a heading. */
function blocks(heading) {
  const [section] = guide.split(`\n### ${heading}\n`)[1].split(/\n##+ /)
  return [...section.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code)
}

afterEach(closeAll)
afterAll(removeDirectories)

describe.each(['got', 'ky'])('the recipe for %s', (client) => {
  let recipe

  beforeAll(() => {
    const directory = createProject({ 'recipe.mjs': blocks(client)[0] })
    const modules = path.join(directory, 'node_modules')
    mkdirSync(modules)
    symlinkSync(ROOT, path.join(modules, 'oauth-rotor'), 'junction')
    // Their exports hide the package.json by which others are found.
    symlinkSync(path.join(ROOT, 'node_modules', client), path.join(modules, client), 'junction')
    recipe = path.join(directory, 'recipe.mjs')
  })

  const result = (situation) => child('http-recipes.js', { recipe, situation }).result()

  test('a revoked token costs one token request, and the request ends well', async () => {
    expect(await result('revoked')).toEqual({
      outcomes: [200, 200],
      answers: [200, 401, 200],
      tokenRequests: 2,
    })
  })

  test('the request is repeated as it was, with its body', async () => {
    expect(await result('body')).toEqual({
      answer: { a: 1 },
      mine: ['kept', 'kept'],
      sent: ['{"a":1}', '{"a":1}'],
      tokens: ['test-token-1', 'test-token-2'],
    })
  })

  test('a second 401 is what the caller gets, and its error shows no token', async () => {
    const { outcomes, tokens, dropped, shown } = await result('refused')
    expect(outcomes).toEqual([401])
    expect(tokens).toEqual(['test-token-1', 'test-token-2'])
    expect(dropped).toEqual(['test-token-1'])
    expect(shown).toContain('401')
    expect(shown).not.toContain('test-token')
  })

  test('a token that the manager stands by is not sent again', async () => {
    expect(await result('stoodBy')).toEqual({ outcomes: [401], tokens: ['only'] })
  })

  test('no redirect to another origin carries a token, and its 401 is left alone', async () => {
    const { outcomes, tokens, elsewhere, dropped } = await result('redirected')
    expect(outcomes).toEqual([200, 200, 401, 200])
    const token = 'test-token-1'
    // /near and where it leads, /200, /401, /returning, and where that leads back to.
    expect(tokens).toEqual([token, token, token, token, token, null])
    expect(elsewhere).toEqual([null, null, null])
    expect(dropped).toBe(0)
  })

  test('a retry after a 503 carries the token of that moment', async () => {
    expect(await result('retried')).toEqual({ outcomes: [200], tokens: ['test-token-1', 'test-token-2'] })
  })

  test('a request with an Authorization of its own keeps it, and its 401 is left alone', async () => {
    expect(await result('own')).toEqual({ outcomes: [401], sent: ['Basic abc'], calls: 0 })
  })

  test('no token is told as the manager tells it, and nothing is sent', async () => {
    expect(await result('none')).toEqual({ outcomes: ['ERR_TOKEN_UNAVAILABLE'], tokens: [] })
  })

  test('a form with a file is sent again only where that is possible', async () => {
    const again = { outcomes: [200, 200], tokens: ['test-token-1', 'test-token-2', 'test-token-2'] }
    const refused = { outcomes: [401, 200], tokens: ['test-token-1', 'test-token-2'] }
    expect(await result('stream')).toEqual(client === 'ky' ? again : refused)
  })
})

describe('the recipe for a WebSocket', () => {
  const HOUR = 3_600_000
  /** So much lies between two token requests. */
  const PAUSE = 1000
  const [code, use] = blocks('A WebSocket that is replaced before its token ends')
  const { keepConnected, genesysTopics } = new Function(
    'require',
    `${code}\nreturn { keepConnected, genesysTopics }`,
  )(require)

  /** A connection to a server of notifications, with the tokens of a manager, once it is open. */
  async function connected({ connect = ({ url }) => genesysTopics(url, ['v2.x']), isRevoked = false } = {}) {
    const { clock, open } = await virtualWorld({ lifetimeMs: HOUR })
    const tokens = open()
    const server = await notifications()
    await tokens.ready()
    const first = tokens.peek()
    if (isRevoked) server.revoke(first)
    const listeners = []
    for (const [method, change] of [
      ['on', (...listener) => listeners.push(listener)],
      [
        'off',
        (...listener) =>
          listeners.splice(
            listeners.findIndex(([name]) => name === listener[0]),
            1,
          ),
      ],
    ]) {
      const original = tokens[method].bind(tokens)
      tokens[method] = (...listener) => {
        change(...listener)
        original(...listener)
        return tokens
      }
    }
    const received = []
    const errors = []
    const connection = keepConnected({
      tokens,
      connect: connect(server),
      idOf: ({ metadata }) => metadata?.CorrelationId,
      onMessage: ({ eventBody }) => received.push(eventBody),
      onError: ({ message }) => errors.push(message),
      retryMs: 1,
    })
    atEnd(() => connection.close())
    if (isRevoked) {
      await event(tokens, 'token-retired')
      await clock.advance(PAUSE)
    }
    await server.told('open 1')
    // The server knows of it before the client does.
    server.broadcast()
    await until(() => received.length === 1)
    received.length = 0
    return { clock, tokens, first, server, listeners, received, errors, connection }
  }

  test('subscribes, and hands on what comes', async () => {
    const { open } = await virtualWorld()
    const tokens = open()
    const server = await notifications()
    const log = jest.fn()
    const run = new Function(
      'keepConnected',
      'genesysTopics',
      'tokens',
      'console',
      `${use}\nreturn connection`,
    )
    const here = (_, topics) => genesysTopics(server.url, topics)
    const connection = run(keepConnected, here, tokens, { log })
    atEnd(() => connection.close())
    await server.told('open 1')
    server.broadcast()
    await until(() => log.mock.calls.length === 1)
    expect(log.mock.calls).toEqual([['v2.x', 1]])
    const [topic] = /v2\.routing[^']+/.exec(use)
    expect(server.channels).toEqual([{ token: tokens.peek(), topics: [{ id: topic }] }])
  })

  test('the new one is open before the old one is closed, with the new token', async () => {
    const { clock, tokens, first, server } = await connected()
    await clock.advance(HOUR)
    await server.told('close 1')
    expect(server.log).toEqual(['open 1', 'open 2', 'close 1'])
    expect(server.channels.map(({ token }) => token)).toEqual([first, tokens.peek()])
    expect(tokens.peek()).not.toBe(first)
  })

  test('every message of the switch arrives once', async () => {
    const { clock, server, received } = await connected()
    const stop = server.broadcastAlways()
    await clock.advance(HOUR)
    await server.told('close 1')
    const sent = stop()
    await until(() => received.includes(sent.at(-1)))
    expect([...received].sort((a, b) => a - b)).toEqual(sent)
    expect(server.twice).toBeGreaterThan(0)
  })

  test('several changes at once are one replacement', async () => {
    const { clock, tokens, server } = await connected()
    const release = server.hold()
    const heard = [event(tokens, 'token-retired'), event(tokens, 'token')]
    tokens.invalidate(tokens.peek())
    await clock.advance(PAUSE)
    await Promise.all(heard)
    await release.asked
    release()
    await server.told('close 1')
    expect(server.log).toEqual(['open 1', 'open 2', 'close 1'])
    expect(server.channels).toHaveLength(2)
  })

  test('a token that changes while a WebSocket opens is followed', async () => {
    const { clock, tokens, server } = await connected()
    const release = server.hold()
    await clock.advance(HOUR)
    await release.asked
    await clock.advance(HOUR)
    release()
    await server.told('close 2')
    expect(server.log).toEqual(['open 1', 'open 2', 'close 1', 'open 3', 'close 2'])
    expect(server.channels.at(-1).token).toBe(tokens.peek())
  })

  test('a token that was dropped is replaced at once', async () => {
    const { clock, tokens, first, server } = await connected()
    tokens.invalidate(first)
    await clock.advance(PAUSE)
    await server.told('close 1')
    expect(server.log).toEqual(['open 1', 'open 2', 'close 1'])
    expect(server.channels[1].token).not.toBe(first)
  })

  test('a token that the server refuses is dropped, and another one is taken', async () => {
    const { clock, tokens, first, server, errors } = await connected()
    const retired = event(tokens, 'token-retired')
    server.revoke(first)
    expect(await retired).toMatchObject({ reason: 'invalidated' })
    await clock.advance(PAUSE)
    await server.told('open 2')
    expect(server.channels[1].token).not.toBe(first)
    expect(errors).toEqual(['POST /api/v2/notifications/channels: 401'])
  })

  test('so is one that a handshake refuses', async () => {
    const connect = ({ url }) => {
      const address = url.replace('http:', 'ws:')
      return (token) => new WebSocket(address, { headers: { authorization: `Bearer ${token}` } })
    }
    const { tokens, first, errors } = await connected({ connect, isRevoked: true })
    expect(tokens.peek()).not.toBe(first)
    expect(errors).toEqual(['Unexpected server response: 401'])
  })

  test('a connection that fails is tried again, and the old one is used until then', async () => {
    const { clock, server, received, errors } = await connected()
    server.fail(2)
    await clock.advance(HOUR)
    await until(() => errors.length > 0)
    server.broadcast()
    await until(() => received.length === 1)
    await server.told('close 1')
    expect(server.log).toEqual(['open 1', 'open 2', 'close 1'])
    expect(errors).toEqual([expect.stringMatching(/: 503$/), expect.stringMatching(/: 503$/)])
  })

  test('one that the server closes is opened again', async () => {
    const { server, received } = await connected()
    server.terminate()
    await server.told('open 2')
    server.broadcast()
    await until(() => received.length === 1)
    expect(server.channels[1].token).toBe(server.channels[0].token)
  })

  test('its close leaves no WebSocket and no listener', async () => {
    const { server, connection, listeners } = await connected()
    expect(listeners.map(([name]) => name)).toEqual(['token', 'token-retired'])
    connection.close()
    expect(listeners).toEqual([])
    await server.told('close 1')
    expect(server.log).toEqual(['open 1', 'close 1'])
    expect(server.connections).toBe(0)
  })

  test('its close ends an attempt that is under way', async () => {
    const { clock, server, connection, errors } = await connected()
    const release = server.hold()
    await clock.advance(HOUR)
    await release.asked
    connection.close()
    await release.abandoned
    await server.told('close 1')
    expect(server.log).toEqual(['open 1', 'close 1'])
    expect(errors).toEqual([])
  })

  test('a WebSocket that comes after its close is closed, too', async () => {
    const sockets = []
    const steps = new EventEmitter()
    const connect =
      ({ url }) =>
      async () => {
        if (sockets.length > 0) await Promise.all([once(steps, 'release'), steps.emit('asked')])
        sockets.push(new WebSocket(url.replace('http:', 'ws:')))
        return sockets.at(-1)
      }
    const { clock, connection, errors } = await connected({ connect })
    const asked = once(steps, 'asked')
    await clock.advance(HOUR)
    await asked
    connection.close()
    steps.emit('release')
    await until(() => sockets.length === 2)
    await until(() => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED))
    expect(errors).toEqual([])
  })
})
