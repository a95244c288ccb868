'use strict'

// Terminates workers while tokens are published to them, and prints what is left of that.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const native = require('../../../lib/native/load')
const { until, threads, ourThreads } = require('../process')
const { closeAll, manager } = require('../world')

const { tokenUrl, rounds, names } = JSON.parse(process.argv[2])
const server = { tokenUrl }
const file = path.join(__dirname, 'terminated-worker.js')
const WARM_UP = 50
/** So many workers live at once; starting one is work for a processor. */
const LANES = 4

async function round(number) {
  const worker = new Worker(file, { workerData: { server, names } })
  // Some while they load, some while they open, most while they use what they opened.
  if (number % 5 > 0) await new Promise((resolve) => worker.once('message', resolve))
  if (number % 5 > 1) await new Promise((resolve) => setTimeout(resolve, number % 7))
  await worker.terminate()
}

/** Does so many rounds, and more until it is enough. */
async function terminate(rounds, isEnough = () => true) {
  let number = 0
  const lane = async () => {
    while (number < rounds || !isEnough()) await round(number++)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

/** The native thread and those that block for it come and go: they are counted apart. */
const notOurs = () => threads().length - ourThreads()

function count() {
  return { threads: notOurs(), rss: process.memoryUsage.rss(), managers: native.managers() }
}

/**
 * Each gets a token, now or after another attempt: on a slow machine one may have ended before it
 * was there.
 */
async function holdTokens(managers) {
  for (const tokens of managers) await until(() => tokens.peek() !== undefined)
}

async function main() {
  const published = { count: 0 }
  const kept = names.map((name) => manager(server, { name }))
  for (const tokens of kept) tokens.on('token', () => (published.count += 1))
  await holdTokens(kept)
  await terminate(WARM_UP)
  const before = count()
  const publishedBefore = published.count
  const publishedMeanwhile = () => published.count - publishedBefore
  // Stamps are written all the time, and on a fast machine too there are more of them than rounds.
  await terminate(rounds, () => publishedMeanwhile() > rounds)
  // A worker's thread ends a moment after the worker.
  await until(() => notOurs() <= before.threads)
  const after = count()
  await holdTokens(kept)
  await closeAll()
  await until(() => ourThreads() === 0)
  console.log(JSON.stringify({ before, after, left: native.managers(), published: publishedMeanwhile() }))
}

main()
