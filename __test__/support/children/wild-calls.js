'use strict'

// Calls every export of the native part with arguments at random, first in workers, then in the
// main thread, and prints what came of it: what was thrown, and whether managers of this process
// get tokens.

const { isDeepStrictEqual } = require('node:util')
const { MessageChannel, Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const native = require('../../../lib/native/load')
const { WebhookSigner } = require('../../..')
const { manager } = require('../world')

/**
 * What every export takes; arguments are of that kind, or wild. One that is missing here takes
 * anything.
 */
const KINDS = {
  attach: ['function'],
  detach: ['attachment'],
  attachBlock: ['attachment', 'words'],
  hold: ['attachment'],
  release: ['attachment'],
  open: ['attachment', 'settings', 'small', 'small'],
  close: ['handle'],
  take: ['handle'],
  wait: ['handle', 'number', 'boolean', 'number'],
  cancel: ['handle', 'number'],
  invalidate: ['handle', 'text'],
  reload: ['handle'],
  sourcesRead: ['handle', 'readings'],
  rotate: ['handle', 'rotation'],
  prepareRotation: ['handle', 'number'],
  cancelPreparation: ['handle'],
  rollBack: ['handle', 'text'],
  retireNow: ['handle', 'text', 'boolean'],
  awaitRotation: ['handle', 'text', 'text'],
  leave: ['handle', 'number'],
  rotation: ['handle'],
  persisted: ['handle', 'number', 'text', 'text'],
  status: ['handle'],
  health: ['handle'],
  metrics: ['handle'],
  makeClock: ['number'],
  dropClock: ['number'],
  advanceClock: ['number', 'number'],
  clockActivity: ['number'],
  openSigner: ['attachment', 'signerSettings'],
  sign: ['small', 'body', 'number', 'text', 'number'],
  verify: ['small', 'body', 'number', 'signature', 'text', 'text'],
  keyName: ['small', 'small'],
  signerStatus: ['small', 'number'],
  waitForKey: ['handle'],
  cancelWaitForKey: ['handle', 'number'],
  keysRead: ['handle', 'readings'],
}
/** A release has none of it. */
const LEFT_OUT = ['injectPanic', '__napiBindingTarget']
const METHODS = Object.keys(native).filter((name) => !LEFT_OUT.includes(name))
const TEXTS = ['done', 'impossible', 'retired', 'persisted', 'everywhere', 'r', 'Europe/Berlin', 'us_east_1']
const ROTATION = { clientSecret: 'another', deadlineMs: 1000, label: 'l', expiresAt: 1, rotationId: 'r' }
const READINGS = [
  { kind: 'text', value: 'another' },
  { kind: 'credentials', list: [{ clientId: 'app', clientSecret: 'another' }] },
  null,
]

/** mulberry32: every run can be repeated. */
function randomOf(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

class Wild {
  #random
  #settings
  /** Numbers that were answered. */
  #known = { attachment: [1], handle: [1], number: [0, 1, 2, 3] }
  thrown = new Set()
  calls = 0

  constructor(seed, settings) {
    this.#random = randomOf(seed)
    this.#settings = settings
  }

  call() {
    const method = this.#one(METHODS)
    const kinds = KINDS[method] ?? Array.from({ length: this.#below(4) }, () => 'wild')
    const args = kinds.map((kind) => this.#argument(this.#below(4) === 0 ? 'wild' : kind))
    if (this.#below(8) === 0) args.length = this.#below(args.length + 1)
    // It is called later, where nobody catches what it throws.
    if (method === 'attach' && typeof args[0] === 'function') args[0] = () => {}
    this.calls += 1
    try {
      this.#remember(method, native[method](...args))
    } catch (error) {
      this.thrown.add(`${method}: ${String(error?.message).slice(0, 500)}`)
    }
  }

  #remember(method, answer) {
    const opened = method.startsWith('open') ? JSON.parse(answer) : undefined
    const number = opened ? (opened.handle ?? opened.signer?.handle) : answer
    if (!Number.isSafeInteger(number)) return
    const known = this.#known[opened ? 'handle' : method === 'attach' ? 'attachment' : 'number']
    known.push(number)
    // Most of the older ones are closed by now.
    if (known.length > 20) known.splice(0, 10)
  }

  #argument(kind) {
    const make = {
      attachment: () => this.#one(this.#known.attachment),
      handle: () => this.#one(this.#known.handle),
      number: () => this.#one(this.#known.number),
      small: () => this.#below(4),
      boolean: () => this.#below(2) === 0,
      text: () => this.#one(TEXTS),
      function: () => () => {},
      words: () => new Int32Array(new SharedArrayBuffer(64)),
      settings: () => this.#form({ ...JSON.parse(this.#settings.manager), name: this.#one(['wild', null]) }),
      signerSettings: () => this.#form(JSON.parse(this.#settings.signer)),
      body: () => this.#one([() => 'body', () => Buffer.from('body'), () => this.#value()])(),
      signature: () => `${this.#one(['v1=', 'v2=', ''])}${this.#one(['0', 'ff', '=']).repeat(64)}`,
      rotation: () => this.#form({ ...ROTATION }),
      readings: () => this.#form(structuredClone(READINGS)),
      wild: () => this.#value(),
    }
    return make[kind]()
  }

  #form(form) {
    return JSON.stringify(this.#below(2) === 0 ? form : this.#changed(form))
  }

  /** Another value somewhere in it. */
  #changed(form) {
    const keys = Object.keys(form)
    if (keys.length === 0) return form
    const key = this.#one(keys)
    const inner = form[key]
    if (inner !== null && typeof inner === 'object' && this.#below(3) > 0) this.#changed(inner)
    else form[key] = this.#one([-1, 0.5, 2 ** 53, 1e308, 2 ** 64, null, '', 'ü'.repeat(300), [], {}, true])
    return form
  }

  #value() {
    const hostile = () => {
      throw new Error('a getter of the caller')
    }
    const { port1 } = new MessageChannel()
    port1.close()
    const detached = new Int32Array(64)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    return this.#one([
      () => undefined,
      () => null,
      () => NaN,
      () => Infinity,
      () => -Infinity,
      () => -1,
      () => -0,
      () => 0.5,
      () => 2 ** 31,
      () => 2 ** 53,
      () => -(2 ** 63),
      () => 1e308,
      () => 10n ** 30n,
      () => true,
      () => '',
      () => '{',
      () => '\ud800',
      () => 'null',
      () => 'x'.repeat(this.#below(20) === 0 ? 1_000_000 : 100),
      () => Symbol('s'),
      () => () => {},
      () => ({}),
      () => [],
      () => Object.create(null),
      () => ({ valueOf: hostile, toString: hostile, [Symbol.toPrimitive]: hostile }),
      () => new Proxy({}, { get: hostile, has: hostile, ownKeys: hostile, getPrototypeOf: hostile }),
      () => new Proxy(() => {}, { apply: hostile, get: hostile }),
      () => new Proxy(new Int32Array(4), { get: hostile }),
      () => detached,
      () => new Int32Array(16),
      () => new Int32Array(0),
      () => new Int32Array(new SharedArrayBuffer(4096)),
      () => new Int32Array(new SharedArrayBuffer(4096), 4000),
      () => new Int32Array(new SharedArrayBuffer(0)),
      () => new Int32Array(new SharedArrayBuffer(16, { maxByteLength: 64 })),
      () => new Float64Array(new SharedArrayBuffer(64)),
      () => new DataView(new SharedArrayBuffer(64)),
      () => new SharedArrayBuffer(64),
      () => port1,
      () => new Date(NaN),
      () => globalThis,
    ])()
  }

  #one(list) {
    return list[this.#below(list.length)]
  }

  #below(limit) {
    return Math.floor(this.#random() * limit)
  }
}

/** Calls so often, and lets messages come in between. */
async function run(seed, settings, calls) {
  const wild = new Wild(seed, settings)
  for (let call = 0; call < calls; call++) {
    wild.call()
    if (call % 100 === 99) await new Promise(setImmediate)
  }
  return { calls: wild.calls, thrown: [...wild.thrown] }
}

async function inWorker(seed, settings, calls) {
  const worker = new Worker(__filename, { workerData: { seed, settings, calls } })
  return new Promise((resolve, reject) => {
    let told
    worker.once('message', (message) => (told = message))
    worker.once('error', reject)
    worker.once('exit', () => resolve(told))
  })
}

async function main() {
  const { tokenUrl, seed, calls, secret } = JSON.parse(process.argv[2])
  const { open, openSigner } = native
  const settings = {}
  native.open = (...args) => {
    settings.manager ??= args[1].replaceAll(secret, 'of nobody')
    return open(...args)
  }
  native.openSigner = (...args) => {
    settings.signer = args[1].replaceAll(secret, 'of nobody')
    return openSigner(...args)
  }
  const options = { name: 'good', credentials: { clientId: 'app', clientSecret: secret } }
  const good = manager({ tokenUrl }, options)
  const signer = new WebhookSigner({ scheme: 'pagerduty', keys: [secret] })
  const signed = signer.sign('body')
  Object.assign(native, { open, openSigner })
  const tokens = [await good.getToken()]
  const share = Math.ceil(calls / 3)
  const runs = await Promise.all([1, 2].map((it) => inWorker(seed + it, settings, share)))
  tokens.push(good.peek())
  const { closed, rotation } = good.status()
  const signsAlike = isDeepStrictEqual(signer.sign('body'), signed)
  await signer.close()
  // What runs in the same thread may close what is open there.
  await good.close()
  runs.push(await run(seed, settings, share))
  tokens.push(await manager({ tokenUrl }, { ...options, name: 'opened afterwards' }).getToken())
  const report = {
    calls: runs.reduce((sum, run) => sum + run.calls, 0),
    thrown: runs.flatMap((run) => run.thrown),
    tokens,
    closed,
    rotation,
    signsAlike,
  }
  // Whatever was held open still is.
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0))
}

if (isMainThread) main()
else {
  const { seed, settings, calls } = workerData
  run(seed, settings, calls).then((result) => {
    parentPort.postMessage(result)
    setImmediate(() => process.exit(0))
  })
}
