'use strict'

const { once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const native = require('../lib/native/load')
const { child, until } = require('./support/process')
const { signer } = require('./support/signers')
const { atEnd, closeAll, manager, server, virtualWorld } = require('./support/world')

afterEach(async () => {
  jest.restoreAllMocks()
  await closeAll()
})

/** What takes the number of a handle, with what follows that. */
const OF_HANDLES = {
  take: [],
  wait: [0, false, undefined],
  cancel: [1],
  invalidate: ['a token'],
  reload: [],
  sourcesRead: ['[null]'],
  rotate: [JSON.stringify({ clientSecret: 'another', deadlineMs: 1000 })],
  prepareRotation: [0],
  cancelPreparation: [],
  rollBack: ['r1'],
  retireNow: ['r1', true],
  awaitRotation: ['r1', 'retired'],
  leave: [1],
  rotation: [],
  persisted: [1, 'done', undefined],
  listen: [],
  ignore: [],
  status: [],
  health: [],
  metrics: [],
  injectPanic: [],
  close: [],
}
const OF_SIGNERS = { waitForKey: [], cancelWaitForKey: [1], keysRead: ['[null]'], close: [] }
/** What takes the slot of a signer. */
const OF_SLOTS = {
  sign: ['body', 0, undefined, 0],
  verify: ['body', 0, `v1=${'0'.repeat(64)}`, undefined, undefined],
  keyName: [0],
  signerStatus: [0],
}
const OF_ATTACHMENTS = {
  openSigner: ['{}'],
  attachBlock: [new Int32Array(new SharedArrayBuffer(64))],
  open: ['{}', 0, 0],
  hold: [],
  release: [],
  detach: [],
}
const OF_CLOCKS = { advanceClock: [4_102_444_800_000], clockActivity: [], dropClock: [] }
const OF_NOTHING = ['attach', 'makeClock', 'managers', 'formatLocal', 'genesysHost', 'isTimeZone']

/** No environment was ever given it. */
const UNKNOWN = 2 ** 40
const UNKNOWN_SLOT = 2 ** 31

/** A worker that calls `native[method](...args)`; what that answers or throws is told. */
function rawWorker() {
  const worker = new Worker(path.join(__dirname, 'support', 'children', 'raw-worker.js'))
  atEnd(() => worker.terminate())
  return async (...call) => {
    worker.postMessage(call)
    const [told] = await once(worker, 'message')
    return told
  }
}

/**
 * What the facade gave to the native part and got from it while `act` ran: the numbers that a
 * worker may guess.
 */
function numbersOf(act) {
  const spies = ['open', 'attach', 'makeClock'].map((method) => jest.spyOn(native, method))
  const result = act()
  const [open, attach, makeClock] = spies.map(({ mock }) => mock)
  const numbers = {
    handle: JSON.parse(open.results.at(-1).value).handle,
    attachment: attach.results.at(-1)?.value ?? open.calls.at(-1)[0],
    clock: makeClock.results.at(-1)?.value,
    settings: open.calls.at(-1)[1],
  }
  spies.forEach((spy) => spy.mockRestore())
  return { ...numbers, result }
}

test('every export is looked at here', () => {
  const lists = [OF_HANDLES, OF_SIGNERS, OF_SLOTS, OF_ATTACHMENTS, OF_CLOCKS]
  const known = new Set(lists.flatMap(Object.keys))
  const exported = Object.keys(native).filter((name) => typeof native[name] === 'function')
  expect(exported.sort()).toEqual([...known, ...OF_NOTHING].sort())
})

describe('words', () => {
  const disguised = new ArrayBuffer(64)
  Object.setPrototypeOf(disguised, SharedArrayBuffer.prototype)
  Object.defineProperty(disguised, Symbol.toStringTag, { value: 'SharedArrayBuffer' })
  const attached = () => {
    const attachment = native.attach(() => {})
    atEnd(() => native.detach(attachment))
    return attachment
  }

  test.each([
    ['an ArrayBuffer', new Int32Array(new ArrayBuffer(64))],
    ['the heap', new Int32Array(4)],
    ['an ArrayBuffer that can grow', new Int32Array(new ArrayBuffer(64, { maxByteLength: 128 }))],
    ['WebAssembly, not shared', new Int32Array(new WebAssembly.Memory({ initial: 1 }).buffer)],
    ['an ArrayBuffer that pretends', new Int32Array(disguised)],
  ])('in the memory of %s are refused: it can be freed at any time', (_, words) => {
    const act = () => native.attachBlock(attached(), words)
    expect(act).toThrow('the words are not those of a SharedArrayBuffer')
  })

  test.each([
    ['shared', new SharedArrayBuffer(64)],
    ['shared and empty', new SharedArrayBuffer(0)],
    ['shared by WebAssembly', new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }).buffer],
  ])('in memory that is %s are taken', (_, buffer) => {
    expect(native.attachBlock(attached(), new Int32Array(buffer))).toBe(0)
  })

  test('whose memory is freed are never written to', async () => {
    const { tokenUrl } = await server()
    const { refusal, token } = await child(
      'freed-words.js',
      { tokenUrl },
      { flags: ['--expose-gc'] },
    ).result()
    expect(refusal).toBe('the words are not those of a SharedArrayBuffer')
    expect(token).toEqual(expect.any(String))
  })
})

describe('a worker that guesses the numbers of another environment', () => {
  test('gets no token, and nothing else that it would not get for a number of nobody', async () => {
    const provider = await server()
    const { handle, attachment, result: tokens } = numbersOf(() => manager(provider))
    const token = await tokens.getToken()
    const ask = rawWorker()
    for (const [method, rest] of Object.entries({ ...OF_HANDLES, ...OF_ATTACHMENTS })) {
      const number = method in OF_HANDLES ? handle : attachment
      expect([method, await ask(method, number, ...rest)]).toEqual([
        method,
        await ask(method, UNKNOWN, ...rest),
      ])
    }
    expect((await ask('take', handle)).answer).toBeNull()
    expect(tokens.peek()).toBe(token)
    expect(tokens.status()).toMatchObject({ closed: false, rotation: null })
    expect(provider.requests.length).toBe(1)
  })

  test('closes no handle: who waits gets its token', async () => {
    const { clock, server: provider } = await virtualWorld({ latencyMs: 1000 })
    const { handle, attachment, result: tokens } = numbersOf(() => manager(provider))
    const asked = tokens.getToken()
    await until(() => provider.requests.length === 1)
    const ask = rawWorker()
    for (let number = 0; number <= handle; number++) await ask('close', number, number)
    for (let number = 0; number <= attachment; number++) {
      await ask('close', number, handle)
      await ask('detach', number)
    }
    await clock.advance(1000)
    expect(await asked).toEqual(expect.any(String))
    expect(native.managers()).toBe(1)
  })

  test('ends no wait, not even through a handle of the same name', async () => {
    const { clock, server: provider } = await virtualWorld({ latencyMs: 1000 })
    const wait = jest.spyOn(native, 'wait')
    const named = { name: 'shared with a guesser' }
    const { handle, settings, result: tokens } = numbersOf(() => manager(provider, named))
    const asked = tokens.getToken()
    const waiter = wait.mock.results.at(-1).value
    const ask = rawWorker()
    const { answer } = await ask('open', 'own attachment', settings, 0, 0)
    for (const through of [handle, JSON.parse(answer).handle]) await ask('cancel', through, waiter)
    await until(() => provider.requests.length === 1)
    await clock.advance(1000)
    expect(await asked).toEqual(expect.any(String))
  })

  test('does not let a process end that waits', async () => {
    // It answers when its clock is turned, which is when the worker has ended.
    const { clock, server: provider } = await virtualWorld({ latencyMs: 1000 })
    const { tokenUrl, requests } = provider
    const waiting = child('let-go-by-worker.js', { tokenUrl })
    await waiting.said('worker ended with 0')
    await until(() => requests.length === 1)
    await clock.advance(1000)
    const { stdout, ...end } = await waiting.ended
    expect(end).toEqual({ code: 0, signal: null, stderr: '' })
    expect(stdout).toMatch(/^worker ended with 0\ntoken \S+\n$/)
  })

  test('signs nothing with the keys of a signer or of a manager, and ends neither', async () => {
    const opens = jest.spyOn(native, 'openSigner')
    const provider = await server()
    const { handle: ofManager, result: tokens } = numbersOf(() => manager(provider))
    const signs = [signer({ keys: 'key' }), signer({ keys: tokens })]
    const made = signs.map((one) => one.sign('body'))
    const [configured, lent] = opens.mock.results.map(({ value }) => JSON.parse(value).signer)
    const ask = rawWorker()
    for (const { handle, slot } of [configured, lent]) {
      for (const [method, rest] of Object.entries(OF_SIGNERS)) {
        expect(await ask(method, handle, ...rest)).toEqual(await ask(method, UNKNOWN, ...rest))
      }
      for (const [method, rest] of Object.entries(OF_SLOTS)) {
        expect(await ask(method, slot, ...rest)).toEqual(await ask(method, UNKNOWN_SLOT, ...rest))
      }
    }
    const settings = JSON.parse(opens.mock.calls.at(-1)[1])
    expect(settings.keys.handle).toBe(ofManager)
    const { answer } = await ask('openSigner', 'own attachment', JSON.stringify(settings))
    expect(JSON.parse(answer).error.code).toBe('ERR_CLOSED')
    expect(signs.map((one) => one.sign('body'))).toEqual(made)
  })

  test('turns no clock, and opens nothing on it', async () => {
    const { clock, server: provider } = await virtualWorld()
    const { clock: number, settings, result: tokens } = numbersOf(() => manager(provider, { clock }))
    const token = await tokens.getToken()
    const ask = rawWorker()
    for (const [method, rest] of Object.entries(OF_CLOCKS)) {
      expect(await ask(method, number, ...rest)).toEqual(await ask(method, UNKNOWN, ...rest))
    }
    const { answer } = await ask('open', 'own attachment', settings, 0, 0)
    expect(JSON.parse(answer).error.message).toBe('is not a clock of this environment.')
    await clock.advance(1)
    expect(tokens.peek()).toBe(token)
  })
})

/** So many calls at random were made when the boundary was searched for the first time. */
const WILD_CALLS = Number(process.env.WILD_CALLS ?? 13_200)

test('calls with wild arguments, in workers and in the main thread, harm nobody', async () => {
  const secret = 'hunter2-of-the-good'
  const { tokenUrl } = await server({ clients: { app: [secret, 'of nobody', 'another'] } })
  const seed = Number(process.env.WILD_SEED ?? Math.floor(Math.random() * 2 ** 31))
  let result
  try {
    result = await child('wild-calls.js', { tokenUrl, seed, calls: WILD_CALLS, secret }).result()
  } catch (error) {
    throw new Error(`WILD_SEED=${seed}: ${error.message}`, { cause: error })
  }
  const { calls, thrown, tokens, ...good } = result
  const unharmed = { closed: false, rotation: null, signsAlike: true }
  expect({ seed, calls, ...good }).toEqual({ seed, calls: WILD_CALLS, ...unharmed })
  const [first, kept, later] = tokens
  expect([typeof first, typeof later]).toEqual(['string', 'string'])
  expect([seed, kept]).toEqual([seed, first])
  expect(thrown.length).toBeGreaterThan(50)
  for (const text of [secret, ...tokens]) {
    expect(thrown.filter((message) => message.includes(text))).toEqual([])
  }
})
