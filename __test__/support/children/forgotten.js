'use strict'

// Opens managers, refers to one of them only, and prints how many are left.

const { TokenManager, oauth2 } = require('../../..')
const native = require('../../../lib/native/load')
const { until } = require('../process')

const { tokenUrl } = JSON.parse(process.argv[2])

async function open() {
  const tokens = new TokenManager({
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
  })
  await tokens.getToken()
  return tokens
}

async function main() {
  const kept = await open()
  const token = kept.peek()
  for (let time = 0; time < 20; time++) await open()
  await until(() => {
    globalThis.gc()
    return native.managers() === 1
  })
  if (kept.peek() !== token) throw new Error('the wrong one was closed')
  console.log(JSON.stringify({ left: native.managers() }))
}

main()
