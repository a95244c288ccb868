// npm run walks: lists which of our files a cold getToken() and a rotate() pass, in order, and says
// whether these are few enough.
//
// A file is passed when one of its functions is called between the call in JavaScript and the end
// of the walk: for getToken() when the token is published, the promise settled and the native
// thread at rest; for rotate() when the previous credential is retired. Two things do not count:
// what the native thread does whenever it wakes with nothing to do, and the allocator, which wipes
// what is freed.
//
// Rust: a build without optimization in target/walks, with `-Z instrument-mcount`, calls `mcount`
// in each function, and scripts/support/walks/entries.c, preloaded, logs time, thread and stack.
// JavaScript: scripts/support/walks/record.js makes each function say that it is entered. Both use
// the same clock. The server is another process. scripts/support/walks/table.js says what "entered
// again" means.
//
// The manager is cold, but the process is not: another manager already has its token, so the native
// thread runs. The native part fetches as soon as a manager is created, so what its thread does
// from then on belongs to getToken(). What the call in JavaScript does until it returns comes
// first, although the native thread may have begun meanwhile.
//
// `-- --write` writes docs/design/walks.md. For Linux on x86-64, with cc and llvm-symbolizer.

import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { requireCargo, root, step } from './support/steps.mjs'
import { filesOf, firstSentence, missed, tableOf } from './support/walks/table.js'

const WALKS = [
  { call: 'getToken', name: 'A cold `getToken()`', mostFiles: 26 },
  { call: 'rotate', name: 'A `rotate()` until the previous credential is retired', mostFiles: 45 },
]
const EACH = { mostLines: 300, mostAgain: 2 }
const ALLOCATOR = ['src/lib.rs', 'src/wiping.rs']
const DOCUMENT = join(root, 'docs', 'design', 'walks.md')

const target = join(root, 'target', 'walks')
const addon = join(target, 'debug', 'liboauth_rotor.so')
const directory = mkdtempSync(join(tmpdir(), 'oauth-rotor-walks-'))
const preloaded = join(directory, 'entries.so')

/** Builds both, with frame pointers everywhere, by which stacks are read. */
async function build() {
  requireCargo()
  await step('Building what logs entries', 'cc', [
    ...['-O1', '-shared', '-fPIC', '-o', preloaded],
    join(root, 'scripts', 'support', 'walks', 'entries.c'),
  ])
  const env = { CARGO_TARGET_DIR: target, RUSTC_BOOTSTRAP: '1', RUSTFLAGS: '-C force-frame-pointers=yes' }
  const flags = ['-Z', 'instrument-mcount', '-C', 'debuginfo=1']
  await step('Building the addon', 'cargo', ['rustc', '--lib', '--profile', 'dev', '--', ...flags], { env })
}

/**
 * Returns all entries of one walk, in order; with `idle`, those of a process that does not walk.
 */
function entriesOf(call, tokenUrl, idle = []) {
  const log = join(directory, [call, ...idle].join('-'))
  const script = join(root, 'scripts', 'support', 'walks', 'record.js')
  const env = {
    ...process.env,
    LD_PRELOAD: preloaded,
    OAUTH_ROTOR_ADDON: addon,
    OAUTH_ROTOR_ENTRIES: log,
  }
  const args = [script, call, tokenUrl, ...idle]
  const recorded = JSON.parse(execFileSync(process.execPath, args, { env, maxBuffer: 1 << 30 }))
  const { main, begin, returned, javascript, calls } = recorded
  const whence = (at) => calls.find((each) => each.begin <= at && at <= each.end)?.stack ?? []
  const native = nativeEntries(log, recorded).map(({ thread, at, ...entry }) => {
    const isMain = thread === main
    return { ...entry, at, isMain, stack: isMain ? [...entry.stack, ...whence(at)] : entry.stack }
  })
  const isOfCall = ({ isMain, at }) => isMain && at <= returned
  return [
    ...javascript.map((entry) => ({ ...entry, key: `${entry.file}:${entry.name}`, isMain: true })),
    ...native,
  ]
    .filter(({ isMain, at }) => !isMain || at >= begin)
    .sort((one, other) => isOfCall(other) - isOfCall(one) || one.at - other.at)
}

function nativeEntries(log, { base }) {
  const words = recordsIn(log)
  const found = []
  for (let at = 0; at < words.length; at += Number(words[at]) + 3) {
    const depth = Number(words[at])
    const addresses = [...words.subarray(at + 3, at + 3 + depth)].map((word) =>
      Number(word - BigInt(`0x${base}`)),
    )
    found.push({ at: Number(words[at + 1]), thread: Number(words[at + 2]), addresses })
  }
  const functions = symbols(new Set(found.flatMap(({ addresses }) => addresses)))
  return found.flatMap(({ addresses, ...entry }) => {
    const [own, ...stack] = addresses.map((address) => functions.get(address))
    if (!own || ALLOCATOR.includes(own.file)) return []
    // The same for all types that a generic function is called with.
    const key = `${own.file}:${own.line}`
    return [{ ...entry, ...own, key, stack: stack.filter(Boolean).map(({ file }) => file) }]
  })
}

/**
 * Returns what scripts/support/walks/entries.c has written, without its first two words. Most of
 * the file was never written.
 */
function recordsIn(log) {
  const file = openSync(log)
  const read = (words, position) => {
    readSync(file, words, 0, words.byteLength, position)
    return words
  }
  const [, length] = read(new BigUint64Array(2), 0)
  const words = read(new BigUint64Array(Number(length)), 16)
  closeSync(file)
  return words
}

/** Returns our own functions that return addresses are in: `{ file, name, line }`. */
function symbols(addresses) {
  const known = [...addresses].filter((address) => address > 0 && address < 1 << 28)
  if (known.length === 0) return new Map()
  const args = [`--obj=${addon}`, '--output-style=JSON', '--functions=short', '--no-inlines']
  // A return address is that of the next instruction, which may be another function's.
  const input = known.map((address) => `0x${(address - 1).toString(16)}\n`).join('')
  const output = execFileSync('llvm-symbolizer', args, { input, encoding: 'utf8', maxBuffer: 1 << 30 })
  const functions = new Map()
  output
    .trimEnd()
    .split('\n')
    .forEach((line, index) => {
      const [{ FileName, FunctionName, StartLine }] = JSON.parse(line).Symbol
      const file = relative(root, FileName)
      if (file.startsWith('src/')) functions.set(known[index], { file, name: FunctionName, line: StartLine })
    })
  return functions
}

function documentOf(walks) {
  const sections = walks.map(({ name, files, mostFiles }) => {
    const leading = files.filter(({ leadsTo }) => leadsTo > 0).length
    const count = `${files.length} files, of at most ${mostFiles}. From ${leading} of them it goes on to others.`
    return `## ${name}\n\n${count}\n\n${tableOf(files)}\n`
  })
  return `# Two walks through the code

Which files one call passes, in the order in which it enters them first. \`npm run walks -- --write\`
writes this from a recording of all function calls; the head of scripts/walks.mjs says what counts.

- _Leads to_: how many other files are called from it. With 0, the walk only looks in.
- _Entered again_: how often one has to come back to the file, after the walk has left it, for a
  function that was not called before. A walk leaves a file when it enters one that nothing in it
  has called; returning to a caller enters nothing.
- _Switches_: how often a call into this file follows a call into another one, of all calls.

${sections.join('\n')}`
}

await build()
const { forkServer } = createRequire(import.meta.url)('../demo/server.js')
const server = await forkServer({ clients: { app: ['old', 'new'] } })
const walks = []
try {
  for (const { call, ...walk } of WALKS) {
    const control = entriesOf(call, server.tokenUrl, ['idle']).filter(({ isMain }) => !isMain)
    const idle = new Set(control.map(({ key }) => key))
    const entries = entriesOf(call, server.tokenUrl).filter(({ key }) => !idle.has(key))
    if (process.argv.includes('--entries'))
      for (const { file, name, stack } of entries) console.log(file, name, '<', ...stack)
    const files = filesOf(entries).map((each) => {
      const source = readFileSync(join(root, each.file), 'utf8')
      return { ...each, lines: source.trimEnd().split('\n').length, does: firstSentence(source) }
    })
    walks.push({ ...walk, files })
  }
} finally {
  await server.close()
  rmSync(directory, { recursive: true })
}
const text = documentOf(walks)
if (process.argv.includes('--write')) {
  mkdirSync(join(DOCUMENT, '..'), { recursive: true })
  writeFileSync(DOCUMENT, text)
  await step('Formatting it', process.execPath, [
    join(root, 'node_modules/prettier/bin/prettier.cjs'),
    '--write',
    DOCUMENT,
  ])
} else console.log(text)
const reasons = walks.flatMap((walk) => missed(walk, { ...EACH, mostFiles: walk.mostFiles }))
for (const reason of reasons) console.log(reason)
process.exitCode = reasons.length === 0 ? 0 : 1
