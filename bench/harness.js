'use strict'

const ROUNDS = 41
/**
 * How often each loop is compiled: where the compiler puts it makes a difference of a few percent.
 */
const COPIES = 5
const SAMPLE_MS = 6
const WARM_UP_MS = 150

/**
 * CPU time of the process, in milliseconds. On a busy machine, wall time is off by a factor of two
 * or three, this by a few percent. It includes V8's helpers, and so an allocation's share of
 * garbage collection, and the refresh thread, which sleeps. `process.threadCpuUsage()` is no
 * alternative, because Linux updates it only with each tick.
 */
const cpuClock = {
  name: 'CPU time of the process',
  now: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
}

const wallClock = { name: 'wall time', now: () => performance.now() }

let compiled = 0

/**
 * Returns a variant: an expression of `subject` that runs `count` times. Each copy is compiled
 * separately, so that it has its own inline caches.
 */
function variant(name, subject, expression, { clock = cpuClock, isSync = false, copies = COPIES } = {}) {
  const compile = () => {
    compiled += 1
    // The number makes the source unique: V8 would let equal sources share one function and its
    // caches. The value is returned, so that the loop is not dead code.
    const source = `'use strict' // ${compiled}
      return ${isSync ? '' : 'async '}(subject, count) => {
        let value
        for (let i = 0; i < count; i++) value = ${expression}
        return value
      }`
    return { run: new Function(source)(), subject, clock, samples: [] }
  }
  return { name, copies: Array.from({ length: copies }, compile) }
}

/**
 * Measures all variants in turns, so that other work of the machine affects all of them equally.
 * The order differs in each round, so that no variant always gets the garbage of the same other
 * one.
 *
 * Returns a row for each: nanoseconds per operation, and the ratio to the first. A percentile is
 * taken over the rounds, and then the median over the copies.
 */
async function measure(variants, { rounds = ROUNDS, sampleMs = SAMPLE_MS, warmUpMs = WARM_UP_MS } = {}) {
  const turns = variants.flatMap(({ copies }) => copies)
  for (const each of turns) each.count = await calibrate(each, sampleMs, warmUpMs)
  for (let round = 0; round < rounds; round++) {
    for (const each of shuffled(turns)) each.samples.push(await sample(each, each.count))
  }
  const rows = variants.map(({ name, copies }) => {
    const nanos = (percent) =>
      percentile(
        copies.map(({ samples }) => percentile(samples, percent)),
        50,
      )
    return { name, p10: nanos(10), p50: nanos(50), p90: nanos(90) }
  })
  const [base] = rows
  return rows.map((row) => ({ ...row, ratio: row.p10 / base.p10 }))
}

/** Returns how often the warm expression fits into a sample. */
async function calibrate(each, sampleMs, warmUpMs) {
  let count = 1
  let nanos
  let spent = 0
  while (spent < warmUpMs) {
    nanos = await sample(each, count)
    const lasted = (nanos * count) / 1e6
    spent += lasted
    if (lasted < sampleMs) count *= 2
  }
  return Math.max(1, Math.round((sampleMs * 1e6) / nanos))
}

/** Returns the nanoseconds per operation. */
async function sample({ run, subject, clock }, count) {
  // Garbage of the previous variant must not count for this one.
  await new Promise(setImmediate)
  const begin = clock.now()
  const result = run(subject, count)
  if (typeof result?.then === 'function') await result
  return ((clock.now() - begin) * 1e6) / count
}

function shuffled(values) {
  const result = [...values]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[result[last], result[other]] = [result[other], result[last]]
  }
  return result
}

function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))]
}

module.exports = { COPIES, ROUNDS, SAMPLE_MS, cpuClock, measure, percentile, variant, wallClock }
