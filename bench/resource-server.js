'use strict'

const { fork } = require('node:child_process')
const { createServer } = require('node:http')

/**
 * A resource on loopback that answers each request with a small 200. It is a child process, so that
 * its CPU time does not count as ours.
 */
async function startResource() {
  const child = fork(__filename)
  const url = await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('error', reject)
  })
  const close = () =>
    new Promise((resolve) => {
      child.once('exit', resolve)
      child.disconnect()
    })
  return { url, close }
}

function serveParent() {
  const body = JSON.stringify({ id: 1, name: 'one' })
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const server = createServer((request, response) => response.writeHead(200, headers).end(body))
  // This is longer than the pauses between two samples of one client.
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`))
  process.on('disconnect', () => process.exit())
}

if (require.main === module) serveParent()

module.exports = { startResource }
