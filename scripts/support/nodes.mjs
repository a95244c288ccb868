// Installs other versions of Node.js from npm, under target/.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, step } from './steps.mjs'

/** Returns the program of a version, such as `20` or `20.3.0`. */
export async function nodeProgram(version) {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${platform}-${process.arch}`
  const directory = join(root, 'target', 'node', version)
  const program = join(directory, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node')
  if (!existsSync(program)) {
    const args = [
      'install',
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefix',
      directory,
      `${name}@${version}`,
    ]
    await step(`Installing Node.js ${version}`, 'npm', args)
  }
  return program
}
