// A step of npm run check: checks how the sources are divided and described, which neither the
// compiler nor the linters do.
//
// Types that share a name, circles of imports, files that are too long, doc comments of one word,
// functions that "answer". `node scripts/check-structure.mjs DIRECTORY` looks at another tree.
// Tests are what `#[cfg(test)]` keeps out of the build; scripts/support/rust-source.mjs says how
// Rust is read.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, normalize } from 'node:path/posix'
import { circlesOf } from './support/circles.mjs'
import { edgesOf, lineAt, modulesOf } from './support/rust-source.mjs'
import { root } from './support/steps.mjs'

const MOST_LINES = 350

/**
 * "Answers" as the verb of a function: at the start of a sentence or a clause, or after a call in
 * backticks. Servers answer requests, and waiting callers are answered: neither is meant, nor is
 * the noun ("answers of the endpoint").
 */
const NOUN = 'of|that|to|in|from|are|were|and'
const ANSWERED = 'those|them|him|whoever|everybody|instead|(?:[a-z]+ ){0,3}(?:requests?|callers?|calls?)'
const ANSWERS = new RegExp(
  `(?:^|[.;,:]\\s+|\\b(?:and|it|always|or)\\s+)answers\\s+(?!(?:${NOUN}|${ANSWERED})\\b)|\`[^\`]*\`\\s+answers\\b`,
  'i',
)

const RUST_FUNCTION =
  /^(?:\s*#\[[^\n]*\])*\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?:const|async|unsafe|extern)\s+)*(?:fn\b|macro_rules!)/

const KINDS = {
  type: ['types declared twice', 'give each a name of its own: a prefix, or the word for what it is'],
  circle: ['circles of imports', 'move what both need into a module that uses neither'],
  length: ['files that are too long', `divide it: a file is one noun of at most ${MOST_LINES} lines`],
  word: ['doc comments of one word', 'say it in a sentence, or leave it out'],
  answers: ['functions that "answer"', 'write "returns"'],
}

/** Returns all that is wrong in a tree. */
function findingsOf(tree) {
  const modules = modulesOf(tree)
  const javascript = [
    ...filesIn(tree, 'lib', /\.js$/),
    ...readdirSync(tree).filter((file) => /\.js$/.test(file)),
  ].map((file) => ({ file, source: readFileSync(join(tree, file), 'utf8') }))
  const scripts = filesIn(tree, 'scripts', /\.m?js$/).map((file) => sourceOf(tree, file))
  const rust = filesIn(tree, 'src', /\.rs$/).map((file) => sourceOf(tree, file))
  const tests = filesIn(tree, '__test__', /\.js$/).map((file) => sourceOf(tree, file))
  const built = new Set([...modules.values()].map(({ file }) => file))
  return [
    ...sharedNames(modules, javascript),
    ...circlesOfModules(modules),
    ...circlesOfFiles(javascript),
    ...tooLong([...rust.filter(({ file }) => built.has(file)), ...javascript, ...scripts]),
    ...[...rust, ...javascript, ...scripts, ...tests].flatMap(flawedDocs),
  ]
}

function filesIn(tree, directory, pattern) {
  if (!existsSync(join(tree, directory))) return []
  const files = readdirSync(join(tree, directory), { recursive: true }).filter((file) => pattern.test(file))
  return files.map((file) => join(directory, file.replaceAll('\\', '/'))).sort()
}

function sourceOf(tree, file) {
  return { file, source: readFileSync(join(tree, file), 'utf8') }
}

/**
 * A type may be declared once for each platform: in one file, or in modules of which each target
 * has one.
 */
function sharedNames(modules, javascript) {
  const declarations = [...modules.values()].flatMap(({ file, place, types }) => {
    return types.map(({ name, line }) => ({ name, file, line, place }))
  })
  const classes = javascript.flatMap(({ file, source }) => {
    const found = [...source.matchAll(/^[ \t]*class (\w+)/gm)]
    return found.map(({ 1: name, index }) => ({ name, file, line: lineAt(source, index), place: file }))
  })
  return [declarations, classes].flatMap((all) => {
    return all.flatMap(({ name, file, line, place }) => {
      const others = all.filter((other) => other.name === name && other.place !== place)
      const where = others.map((other) => `${other.file}:${other.line}`).join(', ')
      return others.length ? [{ kind: 'type', file, line, what: `${name} is also declared in ${where}` }] : []
    })
  })
}

/**
 * Finds circles between the modules of each room, its mod.rs included, and between the rooms of the
 * crate.
 */
function circlesOfModules(modules) {
  const edges = [...modules.values()].flatMap((module) => {
    return edgesOf(module, modules).map((edge) => ({ from: module.path, file: module.file, ...edge }))
  })
  return [...modules.values()].flatMap(({ path: room, children }) => {
    if (children.length === 0) return []
    // The child of the room that a path is in; the room itself stands for its mod.rs.
    const node = (path) =>
      path === room
        ? room
        : path
            .split('::')
            .slice(0, room.split('::').length + 1)
            .join('::')
    const within = (path) => path === room || path.startsWith(`${room}::`)
    const among = edges.filter(({ from, to }) => within(from) && within(to))
    const named = among.map((edge) => ({ ...edge, from: node(edge.from), to: node(edge.to) }))
    return circlesOf(named).map(circle)
  })
}

function circlesOfFiles(javascript) {
  const edges = javascript.flatMap(({ file, source }) => {
    return [...source.matchAll(/^[^*\n]*\brequire\('(\.{1,2}\/[^']+)'\)/gm)].map(({ 1: path, index }) => {
      const to = normalize(join(file, '..', path)).replace(/(\.js)?$/, '.js')
      return { from: file, to, file, line: lineAt(source, index) }
    })
  })
  return circlesOf(edges).map(circle)
}

function circle(edges) {
  const [{ from, file, line }] = edges
  const steps = edges.map((edge) => `${edge.to} (${edge.file}:${edge.line})`)
  return { kind: 'circle', file, line, what: `${[from, ...steps].join(' → ')}` }
}

function tooLong(sources) {
  return sources.flatMap(({ file, source }) => {
    const lines = source.trimEnd().split('\n').length
    return lines > MOST_LINES ? [{ kind: 'length', file, line: lines, what: `${lines} lines` }] : []
  })
}

function flawedDocs({ file, source }) {
  const isRust = file.endsWith('.rs')
  return docsOf(source, isRust).flatMap(({ text, line, after }) => {
    const findings = []
    if (/^\S+$/.test(text)) findings.push({ kind: 'word', file, line, what: `"${text}" is all it says` })
    const verb = ANSWERS.exec(text)
    if (verb && (!isRust || RUST_FUNCTION.test(after))) {
      const quoted = text.slice(verb.index).replace(/^\W+/, '').slice(0, 50)
      findings.push({ kind: 'answers', file, line, what: `"${quoted}"` })
    }
    return findings
  })
}

/** Returns each doc comment as one text, and the code that follows it. */
function docsOf(source, isRust) {
  const pattern = isRust ? /(?:^[ \t]*\/\/(?:\/(?!\/)|!)[^\n]*\n)+/gm : /^[ \t]*\/\*\*[^]*?\*\/\n?/gm
  return [...source.matchAll(pattern)].map(({ 0: comment, index }) => {
    const marks = isRust ? /^\s*\/\/[/!]/gm : /^\s*\/?\*+\/?|\*\/\s*$/gm
    const text = comment.replace(marks, '').replace(/\s+/g, ' ').trim()
    const rest = source.slice(index + comment.length, index + comment.length + 1000)
    return { text, line: lineAt(source, index), after: rest }
  })
}

const findings = findingsOf(process.argv[2] ?? root)
for (const { kind, file, line, what } of findings) {
  console.log(`${file}:${line}: ${what}; ${KINDS[kind][1]}.`)
}
for (const [kind, [name]] of Object.entries(KINDS)) {
  console.log(`${findings.filter((finding) => finding.kind === kind).length} ${name}`)
}
process.exitCode = findings.length === 0 ? 0 : 1
