// Runs commands one after the other and says what each is for. The first one that fails ends the
// script.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** The path of an installed program of this project. */
export const bin = (name) => join(root, 'node_modules', '.bin', name)

/** Runs a command; resolves with what it printed, or ends the process with its exit code. */
export async function step(what, command, args, { env = {}, quiet = true } = {}) {
  const begin = performance.now()
  process.stdout.write(`> ${what}\n`)
  const { code, output } = await run(command, args, { env, quiet })
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  if (code !== 0) {
    if (quiet) process.stdout.write(output)
    console.log(`> ${what}: failed after ${seconds} s (${[command, ...args].join(' ')})`)
    process.exit(code || 1)
  }
  console.log(`  done in ${seconds} s`)
  return output
}

/** In milliseconds: a command that prints nothing for so long hangs. */
const LONGEST_SILENCE = 20 * 60_000

/**
 * Runs a command to its end; resolves with its exit code and, when it is quiet, all that it
 * printed. One that hangs is ended, so that its output shows where.
 */
export function run(command, args, { cwd = root, env = {}, quiet }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      // On Windows, npm and what it installs are scripts, which need the shell.
      shell: process.platform === 'win32' && !command.endsWith('.exe'),
    })
    let output = ''
    const giveUp = () => {
      output += `\nIt has printed nothing for ${LONGEST_SILENCE / 60_000} minutes and is ended.\n`
      child.kill('SIGKILL')
      // Not on 'close': processes that it has started may keep its output open.
      resolve({ code: 1, output })
    }
    const silence = quiet ? setTimeout(giveUp, LONGEST_SILENCE) : undefined
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk) => {
        output += chunk
        silence.refresh()
      })
    }
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(silence)
      resolve({ code, output })
    })
  })
}

/** Ends the script if there is no cargo, and says how to get it. */
export function requireCargo() {
  if (spawnSync('cargo', ['--version']).status === 0) return
  const { 'rust-version': needed } = Object.fromEntries(
    [...readFileSync(join(root, 'Cargo.toml'), 'utf8').matchAll(/^([\w-]+) = "(.*)"$/gm)].map(
      ([, key, value]) => [key, value],
    ),
  )
  console.log(
    `The native part is written in Rust, and there is no cargo here. Install Rust ${needed} or later from ` +
      'https://rustup.rs (curl --proto "=https" -sSf https://sh.rustup.rs | sh), open a new shell, and try again.',
  )
  process.exit(1)
}

/**
 * All cargo commands share one directory of artifacts with `napi build`, which always names a
 * target.
 */
export function cargoEnvironment() {
  const version = spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout
  return { CARGO_BUILD_TARGET: /^host: (.*)$/m.exec(version)[1] }
}

/** Installs the dependencies, unless that was done before. */
export async function install() {
  if (existsSync(bin('napi')) && existsSync(bin('jest'))) return
  await step('Installing the development dependencies (npm ci)', 'npm', ['ci'])
}

/**
 * The addon has the platform in its name. lib/native/load.js loads it, so `napi build` must not
 * write a loader.
 */
export const NAMED = ['--platform', '--no-js']

/** Builds the addon. Cargo knows what is up to date. */
export async function build({ release }) {
  const profile = release ? ['--release'] : []
  const what = release
    ? 'Building the addon for release (a few minutes the first time)'
    : 'Building the addon for debugging'
  await step(what, bin('napi'), ['build', ...NAMED, ...profile], { env: cargoEnvironment() })
}

/** Checks the format of everything, and lints the JavaScript. */
export async function style() {
  await step('Formatting (prettier)', bin('prettier'), ['--check', '.'])
  await step('Lint (eslint)', bin('eslint'), ['.'])
  await step('Formatting (rustfmt)', 'cargo', ['fmt', '--check'])
  // The fuzz target is a workspace of its own.
  await step('Formatting (rustfmt) of the fuzz target', 'cargo', [
    'fmt',
    '--check',
    '--manifest-path',
    'fuzz/Cargo.toml',
  ])
}

/** Lints the Rust code with some features. */
export async function clippy(name, features, { env }) {
  const args = ['clippy', '--quiet', ...features, '--', '-D', 'warnings']
  await step(`Lint (clippy) of ${name}`, 'cargo', args, { env })
}

/**
 * Returns how many tests passed, by cargo's own counts. A run without tests is a failure of the
 * script.
 */
export function passedInRust(output, what) {
  const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)]
  const passed = results.reduce((sum, [, passed]) => sum + Number(passed), 0)
  if (passed === 0) throw new Error(`no Rust test ran (${what})`)
  console.log(`  ${passed} passed`)
  return passed
}
