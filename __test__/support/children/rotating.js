'use strict'

// Opens a manager, rotates when it is told to, and kills itself right after what it is told.

const fs = require('node:fs')
const { parse } = require('dotenv')
const { TokenManager, envFile, fromEnv, fromFile, oauth2, secretFile } = require('../../..')

const { tokenUrl, kind, current, next } = JSON.parse(process.argv[2])
let fatal

/** Written at once: nothing that was said is lost with the process. */
function reached(what) {
  fs.writeSync(1, `${what}\n`)
  if (what === fatal) process.kill(process.pid, 'SIGKILL')
}

function replace(file, text) {
  fs.writeFileSync(`${file}.new`, text)
  reached('half written')
  fs.renameSync(`${file}.new`, file)
}

const configurations = {
  'env-file': () => {
    Object.assign(process.env, parse(fs.readFileSync(current)))
    const names = { clientId: 'APP_ID', clientSecret: 'APP_SECRET' }
    const [clientId, clientSecret] = [fromEnv(names.clientId), fromEnv(names.clientSecret)]
    return { clientId, clientSecret, persist: envFile(current, names) }
  },
  function: () => ({
    clientId: 'app',
    clientSecret: fromFile(current),
    persist: async ({ clientSecret }) => {
      reached('asked to keep it')
      replace(current, clientSecret)
      reached('kept')
    },
  }),
  source: () => [
    { clientId: 'app', clientSecret: fromFile(current), persist: secretFile(current) },
    { clientId: 'app', clientSecret: fromFile(next), optional: true },
  ],
}

async function main() {
  const tokens = new TokenManager({
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: configurations[kind](),
    overlapMs: 1000,
    // What a source yields is taken up soon.
    sourcePollMs: 20,
    acquireTimeoutMs: 60_000,
  })
  tokens.on('rotation', ({ change }) => reached(change))
  tokens.on('persisted', ({ outcome }) => reached(`persisted: ${outcome}`))
  tokens.on('source', ({ entry, change }) => reached(`source ${entry}: ${change}`))
  process.stdin.on('data', async (order) => {
    const { secret, ...told } = JSON.parse(order)
    fatal = told.fatal
    reached('told')
    if (kind === 'source') return replace(next, secret)
    await tokens.rotate({ clientSecret: secret })
    reached('resolved')
  })
  await tokens.ready()
  reached('ready')
}

main()
