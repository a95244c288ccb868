'use strict'

const path = require('node:path')
const { Worker } = require('node:worker_threads')

const { fromEnv } = require('..')
const { atEnd, closeAll, event, manager, server } = require('./support/world')

afterEach(closeAll)

const VARIABLES = ['THREADS_ID', 'THREADS_SECRET']

/** A thread with a manager; its environment is a copy of the test's. */
function thread({ tokenUrl }, options) {
  const file = path.join(__dirname, 'support', 'children', 'rotating-worker.js')
  const workerData = { tokenUrl, options, variables: VARIABLES }
  const worker = new Worker(file, { workerData, env: { ...process.env } })
  atEnd(() => worker.terminate())
  const waiting = new Map()
  worker.on('message', ({ id, answer }) => waiting.get(id).resolve(answer))
  worker.on('error', (error) => waiting.forEach(({ reject }) => reject(error)))
  return {
    ask: (ask, wanted) => {
      const id = waiting.size
      const answered = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
      worker.postMessage({ id, ask, wanted })
      return answered
    },
    terminate: () => worker.terminate(),
  }
}

/** A manager here and in two threads, under one name. */
async function world(name) {
  const provider = await server({ clients: { app: ['old', 'new', 'other'] } })
  const [id, secret] = VARIABLES
  Object.assign(process.env, { [id]: 'app', [secret]: 'old' })
  atEnd(() => VARIABLES.forEach((variable) => delete process.env[variable]))
  const options = { name, sourcePollMs: 20 }
  const tokens = manager(provider, { ...options, credentials: fromEnv(...VARIABLES) })
  const threads = [thread(provider, options), thread(provider, options)]
  const started = event(tokens, 'rotation', ({ change }) => change === 'started')
  await Promise.all([tokens.ready(), started, ...threads.map(({ ask }) => ask('ready'))])
  const changes = []
  tokens.on('rotation', ({ change }) => changes.push(change))
  return { provider, tokens, threads, changes }
}

const promoted = ({ change }) => change === 'promoted'

test('two threads that name one secret at once make one rotation', async () => {
  const { provider, tokens, threads, changes } = await world('one rotation of threads')
  const told = event(tokens, 'rotation', promoted)
  const [one, two] = await Promise.all(
    threads.map(({ ask }) => ask('rotate', { clientSecret: 'new', rotationId: 'CHG-1' })),
  )
  expect(one).toEqual({ rotationId: 'CHG-1', phase: 'overlap', generation: 2 })
  expect(two).toEqual(one)
  await told
  expect(changes.filter((change) => change === 'staged')).toHaveLength(1)
  expect(provider.requests.map(({ presented }) => presented)).toEqual(['old', 'new'])
})

test('of two threads that name two secrets at once one rotates, and the other is told what is in its way', async () => {
  const { tokens, threads } = await world('a conflict of threads')
  const answers = await Promise.all([
    threads[0].ask('rotate', { clientSecret: 'new' }),
    threads[1].ask('rotate', { clientSecret: 'other' }),
  ])
  const { rotationId } = tokens.rotation()
  const done = { rotationId, phase: 'overlap', generation: 2 }
  expect(answers).toContainEqual(done)
  expect(answers).toContainEqual({ code: 'ERR_ROTATION_CONFLICT', rotationId })
})

test('the end of a thread withdraws what only it wanted', async () => {
  const { provider, tokens, threads } = await world('an end in mid-rotation')
  provider.set({ latencyMs: 60_000 })
  const staged = event(tokens, 'rotation', ({ change }) => change === 'staged')
  const withdrawn = event(tokens, 'rotation', ({ change }) => change === 'candidate-withdrawn')
  threads[0].ask('rotate', { clientSecret: 'new' })
  await staged
  await threads[0].terminate()
  expect(await withdrawn).toMatchObject({ from: 'staged', to: 'stable', generation: 1 })
  expect(tokens.rotation()).toMatchObject({ phase: 'failed', reason: 'ERR_CANDIDATE_UNVERIFIED' })
})

test('every thread has the new secret in its environment, where it starts nothing', async () => {
  const { tokens, threads, changes } = await world('environments of threads')
  await tokens.rotate({ clientSecret: 'new' })
  for (const { ask } of threads) while ((await ask('secret')) !== 'new');
  expect(process.env[VARIABLES[1]]).toBe('new')
  const again = event(
    tokens,
    'rotation',
    ({ change, generation }) => change === 'promoted' && generation === 3,
  )
  await threads[0].ask('rotate', { clientSecret: 'other', supersede: true })
  await again
  while (process.env[VARIABLES[1]] !== 'other') await new Promise((resolve) => setImmediate(resolve))
  expect(changes.filter((change) => change === 'staged')).toHaveLength(2)
})
