'use strict'

const { createProject } = require('../demo/webhooks/project')
const { flawsOf, sendThroughRotations } = require('../demo/webhooks/traffic')
const { removeDirectories, temporaryDirectory } = require('./support/project')

afterAll(removeDirectories)

// `npm run test:service` does the same with 20,000 events and five rotations.
test('the example service loses nothing, and nothing of it is refused, whatever is changed, ended or killed meanwhile', async () => {
  const directory = temporaryDirectory()
  createProject(directory)
  const options = { directory, atLeast: 400, rotations: 2 }
  const counts = await sendThroughRotations(options)
  expect({ counts, flaws: flawsOf(counts, options) }).toEqual({ counts, flaws: [] })
})
