'use strict'

// The primary of a cluster: forks again what has ended, and hands on `<worker> <order>`.

const cluster = require('node:cluster')
const path = require('node:path')

const { workers, ...service } = JSON.parse(process.argv[2])
const running = new Map()

cluster.setupPrimary({ exec: path.join(__dirname, 'service.js'), args: [JSON.stringify(service)] })

/** The worker of that number, for the so-manieth time. */
function fork(number, start) {
  const worker = cluster.fork({ WORKER_NUMBER: `${number}.${start}` })
  running.set(String(number), worker)
  worker.on('exit', () => fork(number, start + 1))
}

for (let number = 1; number <= workers; number++) fork(number, 1)

process.stdin.on('data', (orders) => {
  for (const line of String(orders).trim().split('\n')) {
    const [, number, order] = /^(\d+) (.*)$/.exec(line)
    if (order === 'kill') running.get(number).process.kill('SIGKILL')
    else running.get(number).send(order)
  }
})
// Its end is the test's; no worker outlives it.
process.stdin.on('end', () => process.exit())
