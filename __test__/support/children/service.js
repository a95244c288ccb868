'use strict'

// A service as its users write it, alone or as a worker of a cluster: says what happens, does what
// it is told.

const fs = require('node:fs')

const { config, kind, file, tokenUrl, options } = JSON.parse(process.argv[2])
// As the first line of a program that reads its variables from a file. What is set already stays as
// it is.
if (config) require('dotenv').config({ path: file, quiet: true })

const { TokenManager, envFile, fromEnv, fromEnvFile, fromFile, oauth2, secretFile } = require('../../..')

const names = { clientId: 'APP_ID', clientSecret: 'APP_SECRET' }
const configurations = {
  'variables and the file': () => ({
    clientId: fromEnv(names.clientId),
    clientSecret: fromEnv(names.clientSecret),
    persist: envFile(file, names),
  }),
  'variables alone': () => fromEnv(names.clientId, names.clientSecret),
  'the env file': () => fromEnvFile(file, names),
  'the secret file': () => ({ clientId: 'app', clientSecret: fromFile(file), persist: secretFile(file) }),
}

const number = process.env.WORKER_NUMBER ?? '1'
const say = (what) => fs.writeSync(1, `${number}: ${what}\n`)

const tokens = new TokenManager({
  provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
  credentials: configurations[kind](),
  sourcePollMs: 20,
  ...options,
})
tokens.on('rotation', ({ change }) => say(change))

const orders = {
  rotate: async (clientSecret) => say(`rotated, ${(await tokens.rotate({ clientSecret })).persisted}`),
  // The token that it holds goes; another one has to be fetched.
  fetch: async () => {
    tokens.invalidate(await tokens.getToken())
    await tokens.getToken()
    say('fetched')
  },
  end: async () => {
    await tokens.close()
    process.exit()
  },
}

async function obey(order) {
  const [, name, argument] = /^(\w+) ?(.*)$/.exec(order.trim())
  try {
    await orders[name](argument)
  } catch ({ code }) {
    say(`failed: ${code}`)
  }
}

process.on('message', obey)
if (!process.send) process.stdin.on('data', (order) => obey(String(order)))

tokens.ready().then(
  () => say('ready'),
  ({ cause }) => say(`not ready: ${cause?.code}`),
)
