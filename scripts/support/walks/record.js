'use strict'

// Runs one walk, or idles as long: `node record.js getToken|rotate TOKEN_URL [idle]`. Prints what
// JavaScript entered.
//
// Each function of lib/ and index.js says when it is entered, with the files on its stack. Each
// call of the native part is recorded, so that what Rust enters there has that stack as well.

const { openSync, readFileSync, writeSync } = require('node:fs')
const Module = require('node:module')
const { join, relative, sep } = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')

const { parse } = require('acorn')
const MagicString = require('magic-string').default

const ROOT = join(__dirname, '..', '..', '..')
/** By then the native thread has nothing left to do. */
const REST_MS = 300
const OVERLAP_MS = 1000

const [walk, tokenUrl, idle] = process.argv.slice(2)
/** Entries of our own functions. */
const entries = []
/** Calls of native functions, with their ends. */
const calls = []
let isOn = false

const now = () => Number(process.hrtime.bigint())

/** Returns our own files on the stack, innermost first. */
function stack() {
  const { prepareStackTrace, stackTraceLimit } = Error
  Error.stackTraceLimit = Infinity
  Error.prepareStackTrace = (_, frames) => frames.map((frame) => frame.getFileName())
  const holder = {}
  Error.captureStackTrace(holder, stack)
  const files = holder.stack.filter((file) => file && isOurs(file)).map(named)
  Object.assign(Error, { prepareStackTrace, stackTraceLimit })
  return files
}

const isOurs = (file) => file.startsWith(join(ROOT, 'lib') + sep) || file === join(ROOT, 'index.js')
const named = (file) => relative(ROOT, file)

globalThis.__entered = (file, name) => {
  if (!isOn) return
  const [, , ...files] = stack()
  entries.push({ at: now(), file, name, stack: files })
}

const { _compile: compile } = Module.prototype
Module.prototype._compile = function (source, file) {
  return compile.call(this, isOurs(file) ? instrumented(source, file) : source, file)
}

function instrumented(source, file) {
  const text = new MagicString(source)
  const visit = (node, name) => {
    if (!node || typeof node !== 'object') return
    if (/Function/.test(node.type)) {
      const note = `__entered(${JSON.stringify(named(file))}, ${JSON.stringify(node.id?.name ?? name ?? '')})`
      if (node.body.type === 'BlockStatement') text.appendRight(node.body.start + 1, `${note};`)
      else text.appendRight(node.body.start, `(${note},`).appendLeft(node.body.end, ')')
    }
    const own = node.key?.name ?? (node.type === 'VariableDeclarator' ? node.id.name : undefined)
    for (const child of Object.values(node)) {
      for (const each of [child].flat())
        if (each?.type) visit(each, own ?? (node.type === 'Program' ? '' : name))
    }
  }
  visit(parse(source, { ecmaVersion: 'latest', sourceType: 'script', allowReturnOutsideFunction: true }))
  return text.toString()
}

/** Records when JavaScript is within the native part, and where it came from. */
function watch(native) {
  for (const [name, call] of Object.entries(native)) {
    if (typeof call !== 'function') continue
    native[name] = (...args) => {
      if (!isOn) return call(...args)
      const noted = { begin: now(), stack: stack() }
      calls.push(noted)
      try {
        return call(...args)
      } finally {
        noted.end = now()
      }
    }
  }
}

const { dlopen } = process
process.dlopen = (module) => dlopen(module, process.env.OAUTH_ROTOR_ADDON)

const log = openSync(process.env.OAUTH_ROTOR_ENTRIES, 'r+')
function record(on) {
  writeSync(log, Uint8Array.of(on ? 1 : 0), 0, 1, 0)
  isOn = on
}

async function main() {
  watch(require(join(ROOT, 'lib', 'native', 'load.js')))
  const { TokenManager, oauth2 } = require(ROOT)
  const open = () => {
    return new TokenManager({
      provider: oauth2({ tokenUrl, clientAuth: 'basic-raw' }),
      credentials: { clientId: 'app', clientSecret: 'old' },
      overlapMs: OVERLAP_MS,
    })
  }
  const first = open()
  await first.getToken()
  await sleep(REST_MS)
  record(true)
  const isRotation = walk === 'rotate'
  // It is cold, but the process is not: the thread runs, and the certificate authorities have been
  // read.
  const tokens = isRotation || idle ? first : open()
  const begin = now()
  let promise
  // There is nothing to read again: it only wakes the native thread.
  if (idle) tokens.reload()
  else if (isRotation) promise = tokens.rotate({ clientId: 'app', clientSecret: 'new' })
  else promise = tokens.getToken()
  const returned = now()
  await promise
  await sleep(isRotation ? OVERLAP_MS + REST_MS : REST_MS)
  record(false)
  const phase = tokens.rotation()?.phase
  if (!idle && isRotation && phase !== 'retired') throw new Error(`the rotation is in phase ${phase}`)
  const base = /^(\w+)-\S+ \S+ 0+ .*liboauth_rotor\.so$/m.exec(readFileSync('/proc/self/maps', 'utf8'))[1]
  process.stdout.write(
    JSON.stringify({ main: process.pid, base, begin, returned, javascript: entries, calls }),
  )
  await Promise.all([first.close(), tokens.close()])
}

main()
