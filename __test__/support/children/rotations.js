'use strict'

// Rotates again and again under load; prints what came of it.

const { TokenManager, oauth2 } = require('../../..')
const { forkServer } = require('../../../demo/server')
const { Load, quantile } = require('../load')
const { event, rejection } = require('../world')

const { rotations, perSecond } = JSON.parse(process.argv[2])

/** So long nothing is rotated before each rotation, to compare with. */
const QUIET_MS = 1000
const OVERLAP_MS = 1000
/** Tokens are replaced meanwhile, too. */
const LIFETIME_MS = 5000
/** What waits for the token endpoint waits longer than this. */
const LATENCY_MS = 20

async function main() {
  const server = await forkServer({ lifetimeMs: LIFETIME_MS, latencyMs: LATENCY_MS })
  const tokens = new TokenManager({
    provider: oauth2({ tokenUrl: server.tokenUrl, clientAuth: 'basic-raw' }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
    overlapMs: OVERLAP_MS,
  })
  await tokens.ready()
  const load = new Load({ url: server.url, tokens, perSecond })
  load.start()
  const waits = { quiet: [], rotating: [] }
  const window = async (kind, work) => {
    load.takeWaits()
    await work()
    waits[kind].push(quantile(load.takeWaits(), 0.999))
  }

  let current = 'secret'
  const retiredAt = new Map()
  const wrong = []
  const rotate = async (next) => {
    await server.setSecrets('app', [current, next])
    const retired = event(tokens, 'rotation', ({ change }) => change === 'retired')
    await (await tokens.rotate({ clientSecret: next })).until('retired')
    retiredAt.set(current, (await retired).at.getTime())
    await server.setSecrets('app', [next])
    current = next
  }
  const mistake = async (clientSecret) => wrong.push((await rejection(tokens.rotate({ clientSecret }))).code)
  for (let number = 1; number <= rotations; number++) {
    await window('quiet', () => new Promise((resolve) => setTimeout(resolve, QUIET_MS)))
    const isWrong = number % 3 === 0
    await window('rotating', () => (isWrong ? mistake(`wrong ${number}`) : rotate(`secret ${number}`)))
  }
  await load.stop()

  const requests = await server.tokenRequests()
  const late = requests.filter(({ at, presented }) => at > (retiredAt.get(presented) ?? Infinity))
  const { generation } = tokens.status()
  await tokens.close()
  await server.close()
  return {
    succeeded: load.succeeded,
    failures: load.failures,
    withoutToken: load.withoutToken,
    retired: retiredAt.size,
    wrong,
    generation,
    usesOfRetired: late.length,
    presentedWrong: requests.filter(({ presented }) => presented.startsWith('wrong')).length,
    refused: requests.filter(({ presented, status }) => status !== 200 && !presented.startsWith('wrong'))
      .length,
    tokenRequests: requests.length,
    quiet: quantile(waits.quiet, 0.5),
    rotating: quantile(waits.rotating, 0.5),
    windows: waits,
  }
}

main().then((result) => console.log(JSON.stringify(result)))
