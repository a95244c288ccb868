'use strict'

const http = require('node:http')
const { WebSocketServer } = require('ws')
const { closing } = require('./world')

const CHANNELS = '/api/v2/notifications/channels'

const tokenOf = ({ headers }) => headers.authorization?.replace('Bearer ', '')

/**
 * Notifications as Genesys Cloud has them, on 127.0.0.1: a channel is created and subscribed to
 * over HTTP, and its WebSocket gets what is broadcast. `channels` are those that were created,
 * `log` is what has happened to WebSockets, by their numbers from 1.
 */
async function notifications() {
  const channels = []
  const log = []
  const waiting = new Set()
  const revoked = new Set()
  const sockets = new Map()
  let failures = 0
  let held
  let sent = 0
  let twice = 0

  function tell(text) {
    log.push(text)
    for (const check of waiting) check()
  }

  const server = http.createServer(async (request, response) => {
    const answer = (status, value) => response.writeHead(status).end(JSON.stringify(value))
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const token = tokenOf(request)
    if (revoked.has(token)) return answer(401, {})
    if (failures > 0) {
      failures -= 1
      return answer(503, {})
    }
    if (request.method === 'POST' && request.url === CHANNELS) {
      if (held) await held(response)
      const id = channels.push({ token }) - 1
      return answer(200, { id, connectUri: `ws://127.0.0.1:${server.address().port}/${id}` })
    }
    const [, id] = new RegExp(`^${CHANNELS}/(\\d+)/subscriptions$`).exec(request.url) ?? []
    if (request.method !== 'PUT' || channels[id]?.token !== token) return answer(404, {})
    channels[id].topics = JSON.parse(Buffer.concat(chunks))
    return answer(200, {})
  })

  const upgrades = new WebSocketServer({ server, verifyClient: ({ req }) => !revoked.has(tokenOf(req)) })
  upgrades.on('connection', (socket, { url }) => {
    const number = sockets.size + 1
    // One that was opened without a channel gets everything.
    sockets.set(socket, channels[url.slice(1)] ?? { topics: [] })
    socket.on('close', () => tell(`close ${number}`))
    tell(`open ${number}`)
  })

  const broadcast = () => {
    sent += 1
    const message = { topicName: 'v2.x', eventBody: sent, metadata: { CorrelationId: `id-${sent}` } }
    const open = [...upgrades.clients].filter((socket) => socket.readyState === socket.OPEN)
    for (const socket of open) {
      if (sockets.get(socket).topics) socket.send(JSON.stringify(message))
    }
    if (open.length > 1) twice += 1
    return sent
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return closing({
    url: `http://127.0.0.1:${server.address().port}`,
    channels,
    log,
    /** How many WebSockets are open. */
    get connections() {
      return upgrades.clients.size
    },
    /** How many messages were sent to two WebSockets. */
    get twice() {
      return twice
    },
    /** Resolves once the log has this. */
    told: (text) =>
      new Promise((resolve) => {
        const check = () => {
          if (!log.includes(text)) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    broadcast,
    /** Broadcasts until the function that it returns is called; that returns all that was sent. */
    broadcastAlways() {
      const numbers = []
      let over = false
      const next = () => {
        if (over) return
        numbers.push(broadcast())
        setImmediate(next)
      }
      next()
      return () => {
        over = true
        numbers.push(broadcast())
        return numbers
      }
    },
    /** Refuses a token, and cuts the WebSockets that were opened with it. */
    revoke(token) {
      revoked.add(token)
      for (const [socket, channel] of sockets) {
        if (channel.token === token) socket.terminate()
      }
    },
    terminate() {
      for (const socket of upgrades.clients) socket.terminate()
    },
    /** Answers the next requests with 503. */
    fail(times) {
      failures = times
    },
    /** Creates no channel until the function that it returns is called. */
    hold() {
      let release, ask, abandon
      const released = new Promise((resolve) => (release = resolve))
      const asked = new Promise((resolve) => (ask = resolve))
      const abandoned = new Promise((resolve) => (abandon = resolve))
      held = (response) => {
        response.on('close', () => response.writableFinished || abandon())
        ask()
        return released
      }
      return Object.assign(
        () => {
          held = undefined
          release()
        },
        { asked, abandoned },
      )
    },
    async close() {
      for (const socket of upgrades.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

module.exports = { notifications }
