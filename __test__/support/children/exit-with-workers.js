'use strict'

// Ends the process while workers read tokens that are being published.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { manager } = require('../world')

const { tokenUrl, names } = JSON.parse(process.argv[2])
const server = { tokenUrl }
for (const name of names) manager(server, { name })
const file = path.join(__dirname, 'terminated-worker.js')
const workers = Array.from({ length: 3 }, () => new Worker(file, { workerData: { server, names } }))
const opened = workers.map((worker) => new Promise((resolve) => worker.once('message', resolve)))
Promise.all(opened).then(() => process.exit(5))
