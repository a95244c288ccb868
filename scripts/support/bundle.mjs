// The JavaScript that is published: few files, each of several modules of lib/, with source maps.
//
// Finding and compiling the modules one by one takes longer than running them. Each module stands
// in a function of its own, so that every class and function keeps its name. Bundlers that merge
// scopes rename what clashes.

import { readFileSync } from 'node:fs'
import { builtinModules, createRequire } from 'node:module'
import { join, posix } from 'node:path'
import { root } from './steps.mjs'

const read = (file) => readFileSync(join(root, file), 'utf8')

const manifest = JSON.parse(read('package.json'))
/**
 * The published file of each entry, by its module. Resolvers that know no `exports` find it by its
 * name.
 */
export const ENTRIES = new Map(
  Object.entries(manifest.exports)
    .filter(([, entry]) => entry.default)
    .map(([name, entry]) => [posix.normalize(entry.default), `${name === '.' ? 'index' : name.slice(2)}.js`]),
)
const ADAPTERS = ['axios.js', 'fetch.js', 'genesys.js', 'undici.js']

/**
 * Modules that several entries need have their own file, so that none exists twice in a process.
 */
const SHARED = 'core.js'
/** Modules that only adapters share. */
const SHARED_BY_ADAPTERS = 'adapters.js'

const REQUIRE = /\brequire\('([^']+)'\)/g
const EXPORTS = /^module\.exports = /m
const NAMED_EXPORTS = /^exports\.\w+ = /m

/** Returns the published files by name: entries, what they share, and the map of each. */
export function bundle() {
  const modulesOf = new Map([...ENTRIES].map(([module, name]) => [name, inOrder(module)]))
  const names = [...modulesOf.keys()]
  const fileOf = (module) => place(names.filter((name) => modulesOf.get(name).includes(module)))
  const modules = [...new Set([...modulesOf.values()].flat())]
  const files = {}
  for (const name of [SHARED, SHARED_BY_ADAPTERS, ...names]) {
    const own = modules.filter((module) => fileOf(module) === name)
    const needed = new Set(own.flatMap(requirements).map(fileOf))
    const others = [SHARED, SHARED_BY_ADAPTERS].filter((file) => file !== name && needed.has(file))
    const { code, map } = print(name, own, others)
    files[name] = `${code}${hint(own)}//# sourceMappingURL=${name}.map\n`
    files[`${name}.map`] = map
  }
  return files
}

/** Returns the file for a module that the entries of these files need. */
function place(names) {
  if (names.length === 1) return names[0]
  return names.every((name) => ADAPTERS.includes(name)) ? SHARED_BY_ADAPTERS : SHARED
}

/**
 * Returns a line with the names that an ES module may import from an entry, for Node.js to find.
 * The line is never run.
 */
function hint(modules) {
  const entry = modules.find((module) => ENTRIES.has(module))
  if (entry === undefined) return ''
  const names = Object.keys(createRequire(import.meta.url)(join(root, entry)))
  return `0 && (module.exports = { ${names.join(', ')} });\n`
}

/** Returns a module and all that it needs, each after its own requirements. */
function inOrder(module, known = new Set(), above = []) {
  if (above.includes(module)) throw new Error(`${[...above, module].join(' needs ')}: none can be the first.`)
  for (const needed of requirements(module)) {
    if (!known.has(needed)) inOrder(needed, known, [...above, module])
  }
  return [...known.add(module)]
}

/**
 * Returns those of our modules that a module needs. Everything else has to exist where the package
 * is installed.
 */
function requirements(module) {
  if (module === 'package.json') return []
  return [...read(module).matchAll(REQUIRE)].map(([, name]) => resolve(module, name)).filter(Boolean)
}

/** Returns the module of ours that a name stands for, if it is one. */
export function resolve(module, name) {
  if (name.startsWith('.')) {
    const path = posix.join(posix.dirname(module), name)
    const file = posix.extname(path) === '' ? `${path}.js` : path
    if (file === 'package.json' || file.startsWith('lib/')) return file
    throw new Error(`${module} needs ${file}, which is not in lib/.`)
  }
  const isOurs = name.startsWith(`${manifest.name}-`)
  const isThere = builtinModules.includes(name.replace(/^node:/, '')) || name in manifest.peerDependencies
  if (isOurs || isThere) return undefined
  throw new Error(`${module} needs ${name}: nothing that is not ours is published.`)
}

/** Prints modules as one file. Its map has them with their comments. */
function print(name, modules, others) {
  // Loaded late, because scripts import this before they install the dependencies.
  const require = createRequire(import.meta.url)
  const { default: MagicString, Bundle } = require('magic-string')
  const { transformSync } = require('esbuild')
  const file = new Bundle()
  for (const module of modules) {
    if (module === 'package.json') continue
    const source = new MagicString(read(module), { filename: module })
    file.addSource(link(module, source).prepend('(() => {\n').append('\n})();'))
  }
  const shared = others.map((other) => `...require('./${other}'), `)
  if (modules.includes('package.json')) shared.push(`'package.json': ${identity()}`)
  file.prepend(`'use strict'\nconst lib = { ${shared.join('')} };\n`)
  if (!modules.some((module) => ENTRIES.has(module))) file.append('\nmodule.exports = lib')
  const map = file.generateMap({ includeContent: true, hires: 'boundary' }).toUrl()
  const {
    code,
    map: printed,
    warnings,
  } = transformSync(`${file}\n//# sourceMappingURL=${map}`, {
    banner: `// ${manifest.name} ${manifest.version}, MIT licensed. The sources are in ${name}.map.`,
    charset: 'utf8',
    sourcefile: name,
    sourcemap: 'external',
    target: manifest.engines.node.replace('>=', 'node'),
  })
  if (warnings.length > 0) throw new Error(`${name}: ${JSON.stringify(warnings, null, 2)}`)
  return { code, map: printed }
}

const key = (module) => `lib['${module.replace(/^lib\//, '').replace(/\.js$/, '')}']`

/** What modules read of package.json, so that a process need not read the file. */
function identity() {
  const { name, version } = manifest
  return JSON.stringify({ name, version })
}

/** Makes a module take its requirements of ours from `lib` and put its exports there. */
function link(module, source) {
  const isNamed = NAMED_EXPORTS.test(source.original)
  if (source.original.split(EXPORTS).length !== (isNamed ? 1 : 2)) {
    throw new Error(`${module} has to set module.exports once, or else members of exports.`)
  }
  source.replace(/^'use strict'$/m, '').replace(REQUIRE, (call, name) => {
    const file = resolve(module, name)
    return file === undefined ? call : key(file)
  })
  if (isNamed) return source.prepend(`const exports = (${key(module)} = {});\n`)
  return ENTRIES.has(module) ? source : source.replace(EXPORTS, `${key(module)} = `)
}
