'use strict'

// Gets tokens with the secrets of a file, of which JavaScript sees nothing, and closes the manager.

const fs = require('node:fs')
const { fromFile } = require('../../..')
const { nextEvent } = require('../../../demo/events')
const { manager } = require('../world')
const { ourThreads, until } = require('../process')

const { tokenUrl, clientAuth, tls, file, next } = JSON.parse(process.argv[2])

async function main() {
  // An event does not hold the process.
  process.stdin.resume()
  const tokens = manager(
    { tokenUrl },
    {
      provider: { clientAuth, tls },
      credentials: { clientId: 'app', clientSecret: fromFile(file) },
    },
  )
  await tokens.ready()
  const promoted = nextEvent(tokens, 'rotation', ({ change }) => change === 'promoted')
  fs.renameSync(next, file)
  tokens.reload()
  await promoted
  console.log('open')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  await tokens.close()
  await until(() => ourThreads() === 0)
  global.gc()
  console.log('closed')
}

main()
