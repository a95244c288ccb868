'use strict'

const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { createProject } = require('./project')
const { flawsOf, sendThroughRotations } = require('./traffic')

const AT_LEAST = 3000
const ROTATIONS = 3

const ROWS = {
  accepted: 'events that the service accepted from Genesys Cloud',
  refused: '  and refused',
  received: 'events at the receiver, with those of PagerDuty',
  rejected: '  and rejected there: a dead token, a dead key',
  dropped: '  and dropped there as repeats',
  alerts: 'alerts at PagerDuty',
  repeatedAlerts: '  and repeats that joined one of them',
}

async function main() {
  const directory = mkdtempSync(path.join(tmpdir(), 'oauth-rotor-demo-'))
  const begin = performance.now()
  const tell = (text) => {
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    console.log(`${`${seconds} s`.padStart(8)}  ${text}`)
  }
  console.log(
    `${AT_LEAST} events and more go through examples/service to a receiver and to PagerDuty, while the client`,
  )
  console.log('secret and the signing key are changed. Ended keys and tokens are refused at once.\n')
  try {
    createProject(directory)
    const counts = await sendThroughRotations({ directory, atLeast: AT_LEAST, rotations: ROTATIONS, tell })
    console.log()
    for (const [name, text] of Object.entries(ROWS)) {
      console.log(`  ${text.padEnd(54)}${String(counts[name]).padStart(6)}`)
    }
    const flaws = flawsOf(counts, { rotations: ROTATIONS })
    console.log(flaws.length === 0 ? '\nNot one webhook was lost or refused.' : `\n${flaws.join('\n')}`)
    process.exitCode = flaws.length === 0 ? 0 : 1
  } finally {
    rmSync(directory, { recursive: true })
  }
}

main()
