'use strict'

// Terminates workers while tokens are published to them, and prints what is left of that.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const native = require('../../../native')
const { until, threads, ourThreads } = require('../process')
const { closeAll, manager } = require('../world')

const { tokenUrl, rounds, names } = JSON.parse(process.argv[2])
const server = { tokenUrl }
const file = path.join(__dirname, 'terminated-worker.js')
const WARM_UP = 50

async function round(number) {
  const worker = new Worker(file, { workerData: { server, names } })
  // Some while they load, some while they open, most while they use what they opened.
  if (number % 5 > 0) await new Promise((resolve) => worker.once('message', resolve))
  if (number % 5 > 1) await new Promise((resolve) => setTimeout(resolve, number % 7))
  await worker.terminate()
}

function count() {
  // The native thread and its helpers, which come and go, are counted apart.
  const notOurs = threads().length - ourThreads()
  return { threads: notOurs, rss: process.memoryUsage.rss(), managers: native.managers() }
}

async function main() {
  const published = { count: 0 }
  const kept = names.map((name) => manager(server, { name }))
  for (const tokens of kept) tokens.on('token', () => (published.count += 1))
  await Promise.all(kept.map((tokens) => tokens.ready()))
  for (let number = 0; number < WARM_UP; number++) await round(number)
  const before = count()
  const publishedBefore = published.count
  for (let number = 0; number < rounds; number++) await round(number)
  const after = count()
  const publishedMeanwhile = published.count - publishedBefore
  await Promise.all(kept.map((tokens) => tokens.getToken()))
  await closeAll()
  await until(() => ourThreads() === 0)
  console.log(JSON.stringify({ before, after, publishedMeanwhile, left: native.managers() }))
}

main()
