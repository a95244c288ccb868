// npm run test:node-versions [-- 22 26]: the whole Jest suite with each supported version of
// Node.js, on one debug build.

import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeProgram } from './support/nodes.mjs'
import { bin, build, install, requireCargo, root, run } from './support/steps.mjs'

/** The first version that `engines` allows, and the last of each line that is maintained. */
const VERSIONS = ['20.3.0', '20', '22', '24', '26']

requireCargo()
await install()
await build({ release: false })
let failures = 0
for (const version of process.argv.length > 2 ? process.argv.slice(2) : VERSIONS) {
  failures += await testWith(await nodeProgram(version))
}
process.exit(failures === 0 ? 0 : 1)

/** Prints the counts and each failure. Returns how many things failed. */
async function testWith(program) {
  const { output: version } = await run(program, ['--version'], { quiet: true })
  const file = join(tmpdir(), `oauth-rotor-jest-${process.pid}.json`)
  const args = ['--expose-gc', bin('jest'), '--json', `--outputFile=${file}`]
  const { code, output } = await run(program, args, { cwd: root, quiet: true })
  let result
  try {
    result = JSON.parse(readFileSync(file, 'utf8'))
    rmSync(file)
  } catch {
    console.log(`Node.js ${version.trim()}: Jest ended with ${code}:\n${output}`)
    return 1
  }
  const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = result
  console.log(
    `Node.js ${version.trim()}: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped, ` +
      `${numRuntimeErrorTestSuites} files that did not run`,
  )
  for (const { message } of result.testResults) if (message) console.log(message)
  return numFailedTests + numPendingTests + numRuntimeErrorTestSuites + (code === 0 ? 0 : 1)
}
