'use strict'

// Refreshes tokens and asks for them many times; prints the memory before and after.

const { TokenManager, oauth2 } = require('../../..')

const { tokenUrl, managers, refreshBeforeMs, warmUp, refreshes, calls } = JSON.parse(process.argv[2])

function open() {
  return new TokenManager({
    provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
    acquireTimeoutMs: 60_000,
    refreshBeforeMs,
  })
}

function memory() {
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage.rss()
}

async function main() {
  // Events hold no process.
  const hold = setInterval(() => {}, 60_000)
  const start = memory()
  const all = Array.from({ length: managers }, open)
  let seen = 0
  let reach = () => {}
  for (const tokens of all) tokens.on('token', () => reach((seen += 1)))
  /** Resolves after so many tokens more, with their true number; asks for tokens meanwhile. */
  const work = async (tokensMore, callsMore) => {
    const from = seen
    const reached = new Promise((resolve) => {
      reach = () => seen - from >= tokensMore && resolve()
      reach()
    })
    for (let call = 0; call < callsMore; call++) {
      await all[call % all.length].getToken()
      // The messages of the native part need turns of the event loop.
      if (call % 1000 === 0) await new Promise(setImmediate)
    }
    await reached
    return seen - from
  }
  await work(warmUp, calls / 10)
  const before = memory()
  const refreshed = await work(refreshes, calls)
  const after = memory()
  await Promise.all(all.map((tokens) => tokens.close()))
  clearInterval(hold)
  console.log(JSON.stringify({ start, before, after, refreshed, calls }))
}

main()
