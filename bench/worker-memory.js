'use strict'

// A child process of start-up.js: the memory of a worker alone, with a package that does nothing,
// or with a manager that holds a token.
//
//   node worker-memory.js <bare | empty-package | oauth-rotor> <token URL> <project>

const { createRequire } = require('node:module')
const { join } = require('node:path')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { privateDirty } = require('./memory')

/** The first worker in a process pays for what all workers share. */
const WORKERS = 8

async function hold({ client, tokenUrl, project }) {
  if (client === 'bare') return undefined
  const { TokenManager, oauth2 } = createRequire(join(project, 'main.js'))(client)
  if (client === 'empty-package') return undefined
  const { CLIENT } = require('./client')
  const tokens = new TokenManager({
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: CLIENT.id, clientSecret: CLIENT.secret },
  })
  await tokens.getToken()
  return tokens
}

async function main([, , client, tokenUrl, project]) {
  const workerData = { client, tokenUrl, project }
  await hold(workerData)
  const start = () =>
    new Promise((resolve) => new Worker(__filename, { workerData }).once('message', resolve))
  await start()
  const before = privateDirty()
  for (let i = 0; i < WORKERS; i++) await start()
  const bytes = (privateDirty() - before) / WORKERS
  process.stdout.write(JSON.stringify({ bytes }), () => process.exit())
}

if (isMainThread) main(process.argv)
else {
  // The worker stays as long as somebody listens.
  parentPort.on('message', () => {})
  hold(workerData).then((tokens) => parentPort.postMessage(tokens === undefined ? 'nothing' : 'a token'))
}
