// Finds the paths of this machine in what is published, which must not have any.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { root } from './steps.mjs'

/**
 * Patterns for directories of any machine: this one, or one that has built something that is
 * linked.
 */
const ANYWHERE = [
  /[/\\](?:home|Users)[/\\][\w.-]+[/\\]/,
  /\/root\/\./,
  /[/\\]\.(?:cargo|rustup)[/\\]/,
  /[/\\]registry[/\\]src[/\\]/,
]

/**
 * Returns the flags that make rustc replace this machine's directories with names, because panics
 * name source files.
 */
export function remap() {
  return directories().map(([path, name]) => `--remap-path-prefix=${path}=/${name}`)
}

/** Returns the places where bytes name directories of the build, each with the text around it. */
export function tellTales(bytes) {
  const text = bytes.toString('latin1')
  const temporary = [tmpdir(), realpathSync(tmpdir())].map((path) => `${path}${sep}`)
  const ours = [...directories().map(([path]) => path), ...temporary]
  const spellings = ours.flatMap((path) => [path, path.replaceAll('\\', '/')])
  const places = [
    ...spellings.map((path) => text.indexOf(path)),
    ...ANYWHERE.map((pattern) => text.search(pattern)),
  ]
  return [...new Set(places.filter((at) => at >= 0))].map((at) => text.slice(at, at + 120))
}

/**
 * Returns the directories, each with a name for it. If two match, rustc takes the later one, so the
 * longer one comes last.
 */
function directories() {
  const { stdout: metadata } = command('cargo', ['metadata', '--format-version=1', '--no-deps'])
  const cargo = process.env.CARGO_HOME ?? join(homedir(), '.cargo')
  const sources = join(cargo, 'registry', 'src')
  const named = [
    [homedir(), 'home'],
    [cargo, 'cargo'],
    // Their names include that of the registry, which may be a company's own.
    ...(existsSync(sources) ? readdirSync(sources) : []).map((name) => [join(sources, name), 'crates']),
    [process.env.RUSTUP_HOME ?? join(homedir(), '.rustup'), 'rustup'],
    [command('rustc', ['--print', 'sysroot']).stdout.trim(), 'rust'],
    [root, 'oauth-rotor'],
    [JSON.parse(metadata).target_directory, 'target'],
  ]
  const real = named.filter(([path]) => existsSync(path)).map(([path, name]) => [realpathSync(path), name])
  const all = new Map([...named, ...real])
  return [...all].sort(([one], [other]) => one.length - other.length)
}

function command(program, args) {
  return spawnSync(program, args, { cwd: root, encoding: 'utf8' })
}
