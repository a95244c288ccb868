'use strict'

// All measurements: `node bench/index.js [--write]`; `npm run bench` builds and installs what it
// needs. It fails if `await getToken()` costs more than its target; all other targets are only
// reported.

const { forkServer } = require('../demo/server')
const { hotPath } = require('./hot-path')
const { adapters } = require('./http')
const { installPackage } = require('./installed-package')
const { managers } = require('./managers')
const { nodeVersions } = require('./node-versions')
const { startRedis } = require('./redis-server')
const { Results } = require('./results')
const { startUp } = require('./start-up')
const { tail } = require('./tail')
const { webhooks } = require('./webhooks')

async function main() {
  const lifetimeMs = 86_400_000
  const server = await forkServer({ lifetimeMs })
  const redis = await startRedis()
  const project = installPackage()
  const results = new Results()
  results.title('Measured')
  results.conditions()
  if (!redis) results.say('No redis-server was found; the measurements that need one were left out.')

  const [gate, ...others] = await hotPath(results, { server, redis, lifetimeMs })
  const targets = [
    gate,
    ...others,
    ...(await tail(results)),
    ...(await adapters(results, { server })),
    ...(await webhooks(results)),
    ...(await startUp(results, project, { server, redis })),
    ...(await managers(results, project)),
  ]
  await nodeVersions(results, project, { server })
  project.remove()
  await Promise.all([server.close(), redis?.close()])

  results.section('Targets')
  results.table([
    ['What', 'Target', 'Measured', ''],
    ...targets.map(({ name, target, measured, isReached }) => [
      name,
      target,
      measured,
      isReached ? 'reached' : 'missed',
    ]),
  ])
  const reasons = targets.filter(({ isReached, reason }) => !isReached && reason)
  for (const { name, reason } of reasons) results.say(`Missed: ${name}: ${reason}.`)
  if (process.argv.includes('--write')) results.write()
  process.exitCode = gate.isReached ? 0 : 1
}

main()
