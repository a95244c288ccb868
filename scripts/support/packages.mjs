// The tarballs that npm would publish, for the platform of an addon that has been built.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, posix, resolve } from 'node:path'
import { ENTRIES, bundle } from './bundle.mjs'
import { root } from './steps.mjs'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The sources, of which only types and the bundle are published. */
const SOURCES = ['index.js', 'index.d.ts', 'lib']

/**
 * Packs the root package, and that of the platform whose addon is in `from`. Returns the paths of
 * both tarballs.
 */
export function pack({ from = root, to }) {
  const stage = mkdtempSync(join(tmpdir(), 'oauth-rotor-pack-'))
  mkdirSync(to, { recursive: true })
  try {
    return {
      main: tarball(stageMain(join(stage, 'main')), to),
      platform: tarball(stagePlatform(join(stage, 'platform'), from), to),
    }
  } finally {
    rmSync(stage, { recursive: true })
  }
}

/**
 * Stages the main package. Only the published one depends on the platform packages and has its
 * JavaScript in few files.
 */
function stageMain(directory) {
  const names = readdirSync(join(root, 'npm')).map((platform) => `${manifest.name}-${platform}`)
  const optionalDependencies = Object.fromEntries(names.map((name) => [name, manifest.version]))
  const { exports, types, stubs } = entries()
  const made = { ...bundle(), ...stubs }
  const copied = [...types, ...manifest.files.filter((file) => !SOURCES.includes(file))]
  const files = [...Object.keys(made), ...copied]
  const published = { ...manifest, exports, files, optionalDependencies }
  for (const key of ['private', 'scripts', 'devDependencies', 'napi']) delete published[key]
  for (const file of [...copied, 'README.md', 'LICENSE']) {
    cpSync(join(root, file), join(directory, file), { recursive: true })
  }
  for (const [file, text] of Object.entries(made)) writeFileSync(join(directory, file), text)
  write(directory, published)
  return directory
}

/**
 * Returns what the published package says of its entries, the files of their types, and stubs for
 * these. A stub is beside the file that the bundle has for an entry, where TypeScript looks for
 * types when it resolves modules without `exports`.
 */
function entries() {
  const [exports, stubs, types] = [{}, {}, []]
  for (const [name, entry] of Object.entries(manifest.exports)) {
    exports[name] = entry
    if (!entry.default) continue
    const file = ENTRIES.get(posix.normalize(entry.default))
    const stub = file.replace(/\.js$/, '.d.ts')
    exports[name] = { ...entry, default: `./${file}` }
    types.push(posix.normalize(entry.types))
    if (!types.includes(stub)) stubs[stub] = `export * from '${entry.types.replace(/\.d\.ts$/, '')}'\n`
  }
  return { exports, types, stubs }
}

function stagePlatform(directory, from) {
  const prefix = `${manifest.napi.binaryName}.`
  const addons = readdirSync(from).filter((name) => name.startsWith(prefix) && name.endsWith('.node'))
  if (addons.length !== 1) {
    throw new Error(`One addon is expected in ${from}, not ${addons.length}: build it first (npm run build).`)
  }
  const platform = addons[0].slice(prefix.length, -'.node'.length)
  cpSync(join(root, 'npm', platform), directory, { recursive: true })
  cpSync(join(from, addons[0]), join(directory, addons[0]))
  cpSync(join(root, 'LICENSE'), join(directory, 'LICENSE'))
  const { version, type, engines, repository } = manifest
  const generated = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  write(directory, { ...generated, version, type, engines, repository })
  return directory
}

function write(directory, contents) {
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(contents, null, 2)}\n`)
}

function tarball(directory, to) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', resolve(to)]
  const { status, stdout, stderr } = spawnSync('npm', args, {
    cwd: directory,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`npm pack failed:\n${stderr}`)
  const [{ filename }] = JSON.parse(stdout)
  return join(resolve(to), basename(filename))
}
