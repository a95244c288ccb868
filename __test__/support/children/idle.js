'use strict'

// Has a manager's token in hand at all times, until it is killed.

const { manager } = require('../world')

const { tokenUrl } = JSON.parse(process.argv[2])

async function main() {
  const tokens = manager({ tokenUrl })
  await tokens.ready()
  console.log('ready')
  setInterval(() => {}, 60_000)
}

main()
