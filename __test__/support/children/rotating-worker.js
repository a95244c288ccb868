'use strict'

// A manager in a thread of its own, whose secret comes from the thread's environment.

const { parentPort, workerData } = require('node:worker_threads')
const { TokenManager, fromEnv, oauth2 } = require('../../..')

const { tokenUrl, options, variables } = workerData
const tokens = new TokenManager({
  provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
  credentials: fromEnv(...variables),
  ...options,
})

const asks = {
  ready: () => tokens.ready(),
  rotate: async (wanted) => {
    const { rotationId, phase, generation } = await tokens.rotate(wanted)
    return { rotationId, phase, generation }
  },
  secret: () => process.env[variables[1]],
}

parentPort.on('message', async ({ id, ask, wanted }) => {
  try {
    parentPort.postMessage({ id, answer: await asks[ask](wanted) })
  } catch ({ code, rotationId }) {
    parentPort.postMessage({ id, answer: { code, rotationId } })
  }
})
