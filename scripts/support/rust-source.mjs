// Rust sources as scripts/check-structure.mjs reads them: without comments, texts and tests, as a tree of
// modules with their imports.
//
// Read by hand, because there is no small parser: with `syn`, each checkout would have to compile a
// program first, and tree-sitter has native parts that npm would have to fetch for each platform.
// Only declarations, `use` and paths are needed.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'

const COMMENT_OR_TEXT =
  /\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/|\b[bc]?r(#*)"[\s\S]*?"\1|"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\\n]|\\(?:u\{\w+\}|x\w\w|.))'/g
const TEST_ITEM = /#\[cfg\((?:all\()?test\b[^\]]*\]/g
const NAME = '[A-Za-z_]\\w*'

/** Returns the source with each comment and text replaced by spaces; lines and columns stay. */
export const withoutTexts = (source) => source.replace(COMMENT_OR_TEXT, blank)

const blank = (text) => text.replace(/[^\n]/g, ' ')

export const lineAt = (text, index) => text.slice(0, index).split('\n').length

/** Returns where the bracket that opens at `from` is closed. */
function closing(code, from) {
  let depth = 0
  for (let at = from; at < code.length; at += 1) {
    if ('{(['.includes(code[at])) depth += 1
    if ('})]'.includes(code[at]) && --depth === 0) return at
  }
  return code.length
}

/** Returns the end of the item that begins at `from`: that of its block, or its semicolon. */
function endOfItem(code, from) {
  for (let at = from; at < code.length; at += 1) {
    if (code[at] === '{') return closing(code, at) + 1
    if ('(['.includes(code[at])) at = closing(code, at)
    else if (code[at] === ';') return at + 1
  }
  return code.length
}

/** Returns the code that is built without tests, and the names of the modules that are tests. */
function withoutTests(code) {
  const tests = new Set()
  for (const { 0: attribute, index } of code.matchAll(TEST_ITEM)) {
    const begin = index + attribute.length
    const end = endOfItem(code, begin)
    const [, name] = /^\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+);/.exec(code.slice(begin, end)) ?? []
    if (name) tests.add(name)
    code = code.slice(0, index) + blank(code.slice(index, end)) + code.slice(end)
  }
  return { code, tests }
}

/** In a module within a file, `super` is that file's own module. */
function withoutInlineSuper(code) {
  for (const { 0: head, index } of code.matchAll(/\bmod\s+\w+\s*\{/g)) {
    const end = closing(code, index + head.length - 1)
    const block = code.slice(index, end).replace(/(?<!::\s*)\bsuper\b/g, 'self ')
    code = code.slice(0, index) + block + code.slice(end)
  }
  return code
}

/**
 * Returns all modules of a crate that are not tests, by path (`crate::store::memory`). For those
 * that only some targets have, `place` is the room that they are in: what each declares is the same
 * thing there.
 */
export function modulesOf(root) {
  const modules = new Map()
  const read = (path, file, directory, place) => {
    const { code: built, tests } = withoutTests(withoutTexts(readFileSync(join(root, file), 'utf8')))
    const code = withoutInlineSuper(built)
    const found = [...code.matchAll(/(#\[cfg\([^\]]*\]\s*)?(?:pub(?:\([^)]*\))?\s+)?\bmod\s+(\w+);/g)]
    const children = found.map(([, , name]) => name)
    const module = { path, file, place, code, children, tests, ...itemsOf(code) }
    modules.set(path, module)
    for (const [, condition, name] of found) {
      const [plain, nested] = [join(directory, `${name}.rs`), join(directory, name, 'mod.rs')]
      const source = [plain, nested].find((candidate) => existsSync(join(root, candidate)))
      const own = `${path}::${name}`
      if (source) read(own, source, join(directory, name), condition ? path : own)
    }
  }
  const main = join('src', 'lib.rs')
  if (existsSync(join(root, main))) read('crate', main, dirname(main), 'crate')
  return modules
}

/**
 * Returns what a module declares at its top level or in modules of its own file, and what it
 * imports.
 */
function itemsOf(code) {
  const types = []
  const uses = []
  const declared = new Set()
  const word = new RegExp(
    `[{}]|\\b(?:(mod)\\s+${NAME}\\s*\\{|(struct|enum|union|trait|type|fn|const|static|macro_rules!)\\s+(${NAME})|use\\s+([^;]+);)`,
    'g',
  )
  // Whether each open block is a module.
  const blocks = []
  for (const { 0: text, index, ...found } of code.matchAll(word)) {
    const [inline, kind, name, tree] = [found[1], found[2], found[3], found[4]]
    if (text === '}') blocks.pop()
    else if (text === '{') blocks.push(false)
    else if (inline) blocks.push(true)
    else if (tree) uses.push(...namesOf(tree).map((use) => ({ ...use, line: lineAt(code, index) })))
    else if (blocks.every(Boolean)) {
      declared.add(name)
      if (/struct|enum|union|trait|type/.test(kind)) types.push({ name, line: lineAt(code, index) })
    }
  }
  return { types, uses, declared }
}

/** Returns the names that `a::{b, c::{self, d as e}, f::*}` imports, each with its path. */
function namesOf(tree, prefix = []) {
  const [, head, rest] = /^\s*((?:\w+\s*::\s*)*)([\s\S]*)$/.exec(tree)
  const path = [
    ...prefix,
    ...head
      .split('::')
      .map((part) => part.trim())
      .filter(Boolean),
  ]
  if (rest.startsWith('{'))
    return parts(rest.slice(1, closing(rest, 0))).flatMap((part) => namesOf(part, path))
  const [, last, alias] = /^(\w+|\*)(?:\s+as\s+(\w+))?/.exec(rest.trim()) ?? []
  if (last === undefined) return []
  if (last === 'self') return [{ name: alias ?? path.at(-1), path }]
  return [{ name: alias ?? last, path: [...path, last] }]
}

/** Splits at the commas that no brace encloses. */
function parts(list) {
  const found = ['']
  let depth = 0
  for (const character of list) {
    depth += { '{': 1, '}': -1 }[character] ?? 0
    if (character === ',' && depth === 0) found.push('')
    else found[found.length - 1] += character
  }
  return found.filter((part) => part.trim() !== '')
}

/**
 * Returns what a module uses from other modules, each with the line. A re-exported name counts as
 * used from its origin.
 */
export function edgesOf(module, modules) {
  const body = module.code.replace(/\buse\s+[^;]+;/g, blank)
  const edges = []
  const add = (path, line) => {
    const origin = originOf(absolute(path, module, modules), modules)
    if (origin !== undefined && origin !== module.path) edges.push({ to: origin, line })
  }
  for (const { name, path, line } of module.uses) {
    // A room re-exports what it imports and does not use itself.
    const isUsed = module.children.length === 0 || name === '*' || new RegExp(`\\b${name}\\b`).test(body)
    if (isUsed) add(path, line)
  }
  const inline = new RegExp(
    `\\b(?:crate|super|self|${module.children.join('|') || 'self'})(?:\\s*::\\s*${NAME})+`,
    'g',
  )
  for (const { 0: path, index } of body.matchAll(inline)) {
    // Not the end of a longer path, nor the scope of `pub(in …)`.
    if (/(::\s*|\(in )$/.test(body.slice(0, index))) continue
    add(path.split(/\s*::\s*/), lineAt(body, index))
  }
  return edges
}

/**
 * Returns the path from the crate for one such as `super::x`, as seen from a module; undefined for
 * another crate's.
 */
function absolute(path, module, modules) {
  const here = module.path.split('::')
  if (path[0] === 'crate') return path
  if (path[0] !== 'self' && path[0] !== 'super') {
    return modules.has(`${module.path}::${path[0]}`) ? [...here, ...path] : undefined
  }
  const names = path.findIndex((part) => part !== 'self' && part !== 'super')
  const leading = names === -1 ? path : path.slice(0, names)
  const up = leading.filter((part) => part === 'super').length
  return [...here.slice(0, here.length - up), ...path.slice(leading.length)]
}

/** Returns the module that declares what a path names. */
function originOf(path, modules, seen = new Set()) {
  if (path === undefined || seen.has(path.join())) return undefined
  seen.add(path.join())
  let length = 1
  while (length < path.length && modules.has(path.slice(0, length + 1).join('::'))) length += 1
  const module = modules.get(path.slice(0, length).join('::'))
  const [name, ...rest] = path.slice(length)
  if (name === undefined || name === '*' || module.declared.has(name)) return module.path
  if (module.tests.has(name)) return undefined
  for (const use of module.uses) {
    if (use.name !== name && use.name !== '*') continue
    const through = use.name === '*' ? [...use.path.slice(0, -1), name] : use.path
    const next = absolute(through, module, modules)
    if (use.name === name && next === undefined) return undefined
    const origin = originOf(next && [...next, ...rest], modules, seen)
    const isThere = use.name === name || modules.get(origin)?.declared.has(name)
    if (origin !== undefined && isThere) return origin
  }
  return module.path
}
