// A user's project, in which a package is installed and has to get a token.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './steps.mjs'

const { fakeAuthorizationServer } = createRequire(import.meta.url)('../../lib/testing/index.js')

const MAIN = `
const { TokenManager, oauth2 } = require('oauth-rotor')
const tokens = new TokenManager({
  provider: oauth2({ tokenUrl: process.env.TOKEN_URL, clientAuth: 'basic-raw' }),
  credentials: { clientId: 'app', clientSecret: 'secret' },
})
tokens.getToken().then((token) => console.log('a token of ' + token.length + ' characters'))
`

/** Installs packages in a fresh project, runs `use(directory)`, and removes it. */
export async function inFreshProject(packages, options, use) {
  const directory = mkdtempSync(join(tmpdir(), 'oauth-rotor-project-'))
  try {
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'project', private: true }))
    writeFileSync(join(directory, 'main.js'), MAIN)
    await expectSuccess('npm', ['install', '--no-audit', '--no-fund', ...options, ...packages], directory)
    await use(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Gets a token from a real server, with the package of a project and a program of Node.js. */
export async function getToken(directory, node = process.execPath) {
  const server = await fakeAuthorizationServer()
  try {
    const version = await expectSuccess(node, ['--version'], directory)
    const said = await expectSuccess(node, ['main.js'], directory, { TOKEN_URL: server.tokenUrl })
    if (said !== 'a token of 86 characters') throw new Error(`no token, but: ${said}`)
    console.log(`  Node.js ${version} got ${said}`)
  } finally {
    await server.close()
  }
}

async function expectSuccess(command, args, cwd, env = {}) {
  const { code, output } = await run(command, args, { cwd, env, quiet: true })
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${output}`)
  return output.trim()
}
