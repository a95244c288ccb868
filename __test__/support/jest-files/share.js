'use strict'

const { createHash } = require('node:crypto')
const diagnosticsChannel = require('node:diagnostics_channel')
const fs = require('node:fs')
const { TokenManager, oauth2 } = require('../../..')

const { TOKEN_URL, SEEN, KEPT } = process.env

function manager(options) {
  return new TokenManager({
    provider: oauth2({ tokenUrl: TOKEN_URL, clientAuth: 'basic-raw' }),
    credentials: { clientId: 'app', clientSecret: 'secret' },
    ...options,
  })
}

/** What either file does: one manager with a name that both use, one with its own, one without. */
function share() {
  test('opens managers and leaves them open', async () => {
    const own = expect.getState().testPath
    const opened = [manager({ name: 'shared' }), manager({ name: own }), manager()]
    const tokens = await Promise.all(opened.map((tokens) => tokens.getToken()))
    const [shared, named, unnamed] = tokens.map((token) => createHash('sha256').update(token).digest('hex'))
    fs.appendFileSync(SEEN, `${JSON.stringify({ pid: process.pid, shared, named, unnamed })}\n`)
    // Node's own modules are the only thing that files of one process have in common.
    if (KEPT) diagnosticsChannel.subscribe(KEPT, () => opened.forEach((tokens) => tokens.close()))
  })
}

module.exports = share
