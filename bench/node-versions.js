'use strict'

// A call while a token is held, and a first token, in several versions of Node.js.

const { execFileSync } = require('node:child_process')
const { join } = require('node:path')
const { percentile } = require('./harness')
const { firstToken } = require('./start-up')

const VERSIONS = ['20', '22', '24']
const ROUNDS = 11

async function nodeVersions(results, project, { server }) {
  const { nodeProgram } = await import('../scripts/support/nodes.mjs')
  const rows = []
  for (const version of VERSIONS) {
    const node = await nodeProgram(version)
    const rounds = Array.from({ length: ROUNDS }, () => ({
      ...firstToken(node, 'oauth-rotor', server, project),
      bare: firstToken(node, 'none', server, project).rss,
    }))
    const median = (figure) => percentile(rounds.map(figure), 50)
    const args = [join(__dirname, 'held-token.js'), server.tokenUrl, project.directory]
    const held = JSON.parse(execFileSync(node, args, { encoding: 'utf8' }))
    rows.push([
      held.version,
      held.nanos.toFixed(1),
      held.ratio.toFixed(3),
      median(({ wallMs }) => wallMs).toFixed(1),
      median(({ cpuMs }) => cpuMs).toFixed(1),
      median(({ rss, bare }) => (rss - bare) / 1e6).toFixed(1),
    ])
  }
  results.section('In other versions of Node.js')
  results.say(
    '`await getToken()` while a token is held, and its ratio to `await` of a cached promise, by CPU time; then a first ' +
      `token as above, medians of ${ROUNDS}.`,
  )
  results.table([['Node.js', 'ns a call', 'Ratio', 'ms', 'CPU ms', 'MB'], ...rows])
}

module.exports = { nodeVersions }
