'use strict'

// Asks a manager for its token over and over, while the test stops and continues this process, and
// holds each answer against the end of that token. Prints how often one came too late.

const { closeAll, manager } = require('../world')

const { tokenUrl, strict } = JSON.parse(process.argv[2])
/** Between two turns of the event loop, which nothing but a message of the test needs. */
const READS = 5000

async function main() {
  const tokens = manager({ tokenUrl }, { strict })
  const ends = new Map()
  const found = { reads: 0, tokens: 0, peek: 0, getToken: 0, longestMs: 0 }
  let isOver = false
  process.stdin.once('data', () => (isOver = true))
  let since
  const judge = (way, token, before) => {
    if (token === undefined) return
    if (!ends.has(token)) learn(token)
    found.reads += 1
    if (before < (ends.get(token) ?? Infinity)) {
      since = undefined
      return
    }
    found[way] += 1
    since ??= before
    found.longestMs = Math.max(found.longestMs, before - since)
  }
  const learn = (token) => {
    const { expiresAt } = tokens.status().token ?? {}
    // The status tells of this token if it is still the one that is held.
    if (!expiresAt || tokens.peek() !== token) return
    ends.set(token, expiresAt.getTime())
    console.log(`token ${ends.size}.`)
  }
  while (!isOver) {
    for (let read = 0; read < READS; read++) {
      let before = Date.now()
      judge('peek', tokens.peek(), before)
      before = Date.now()
      // On a slow machine a token may have ended before it was there: then there is none to judge.
      judge('getToken', await tokens.getToken().catch(() => undefined), before)
    }
    await new Promise(setImmediate)
  }
  found.tokens = ends.size
  await closeAll()
  console.log(JSON.stringify(found))
  process.stdin.destroy()
}

main()
