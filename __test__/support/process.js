'use strict'

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { atEnd } = require('./world')

/**
 * Runs a script of `children/` in a process of its own, which the test's end kills. The script
 * finds `values` in its arguments as JSON.
 */
function child(script, values = {}, { flags = [], env = {} } = {}) {
  const file = path.join(__dirname, 'children', script)
  return run([...flags, file, JSON.stringify(values)], { env })
}

/** Runs Node with these arguments; the same otherwise. */
function run(args, options) {
  return start(process.execPath, args, options)
}

/** Starts any program; the same otherwise. */
function start(command, args, { cwd = path.join(__dirname, '..', '..'), env = {} } = {}) {
  const started = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // There npm is a script of the shell's.
    shell: process.platform === 'win32' && command === 'npm',
  })
  // It may have ended before it read what it was told.
  started.stdin.on('error', () => {})
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) {
    started[name].setEncoding('utf8').on('data', (text) => (output[name] += text))
  }
  const ended = new Promise((resolve, reject) => {
    started.on('error', reject)
    started.on('close', (code, signal) => resolve({ code, signal, ...output }))
  })
  atEnd(async () => {
    started.kill('SIGKILL')
    await ended
  })
  return {
    pid: started.pid,
    /** How it ended: `{ code, signal, stdout, stderr }`. */
    ended,
    /** Resolves once it has printed this; rejects when it ends without. */
    async said(text) {
      const heard = new Promise((resolve) => {
        const listen = () => {
          if (!output.stdout.includes(text)) return
          started.stdout.off('data', listen)
          resolve()
        }
        started.stdout.on('data', listen)
        listen()
      })
      const end = ended.then((result) => {
        if (!result.stdout.includes(text)) throw new Error(`never said "${text}": ${JSON.stringify(result)}`)
      })
      await Promise.race([heard, end])
    },
    tell: (line) => started.stdin.write(`${line}\n`),
    /** It is told nothing more. */
    end: () => started.stdin.end(),
    kill: (signal) => process.kill(started.pid, signal),
    /** What it printed as its last line, once it has ended well. */
    async result() {
      const { code, signal, stdout, stderr } = await ended
      if (code !== 0) throw new Error(`ended with ${signal ?? code}: ${stdout}${stderr}`)
      return JSON.parse(stdout.trim().split('\n').at(-1))
    },
  }
}

/** A little less than a test has, so that no polling outlives its test. */
const LONGEST_WAIT_MS = 100_000

/** Resolves once the condition holds, and rejects when it never does. */
async function until(condition) {
  const end = performance.now() + LONGEST_WAIT_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never so: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The names of this process's threads. */
function threads() {
  return fs.readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()]
    } catch {
      // It ended in between.
      return []
    }
  })
}

/** How many threads of this process are ours. */
function ourThreads() {
  return threads().filter((name) => name === 'oauth-rotor').length
}

module.exports = { child, run, start, until, threads, ourThreads }
