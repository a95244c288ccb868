// Runs the scripts of __test__/support/children, each in a process that does nothing else.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './steps.mjs'

/**
 * Runs a script with values and resolves with what it measured. `checkout` has the script, the
 * JavaScript and the addon.
 */
export function measured(script, values, { checkout = root, flags = [], env = {} } = {}) {
  const file = join(checkout, '__test__', 'support', 'children', script)
  const child = spawn(process.execPath, [...flags, file, JSON.stringify(values)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`${script} ended with ${signal ?? code}`))
    })
  })
}
