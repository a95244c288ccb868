'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const { fromDirectory, fromEnv, fromEnvFile, fromFile } = require('../..')
const { atEnd } = require('./world')

/** A directory that the test's end removes. */
function temporaryDirectory() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oauth-rotor-'))
  atEnd(() => fs.rmSync(directory, { recursive: true }))
  return directory
}

/** A file with this text, in a directory of its own. */
function temporaryFile(text) {
  const file = path.join(temporaryDirectory(), 'file')
  fs.writeFileSync(file, text)
  return file
}

/** Two variables of this process with a credential, which the test's end deletes. */
function variables({ clientId, clientSecret }) {
  const environment = process.env
  Object.assign(process.env, { ROTATED_ID: clientId, ROTATED_SECRET: clientSecret })
  atEnd(() => {
    process.env = environment
    delete process.env.ROTATED_ID
    delete process.env.ROTATED_SECRET
  })
  return fromEnv('ROTATED_ID', 'ROTATED_SECRET')
}

/** Every kind of source: what it yields first, and how to have it yield something else. */
const SOURCES = {
  'environment variables': (first) => ({
    credentials: variables(first),
    change: ({ clientId, clientSecret }) => {
      Object.assign(process.env, { ROTATED_ID: clientId, ROTATED_SECRET: clientSecret })
    },
  }),
  'a file': ({ clientId, clientSecret }) => {
    const file = temporaryFile(`${clientSecret}\n`)
    return {
      credentials: { clientId, clientSecret: fromFile(file) },
      change: (credential) => fs.writeFileSync(file, `${credential.clientSecret}\n`),
    }
  },
  'a directory': (first) => {
    const directory = temporaryDirectory()
    const write = ({ clientId, clientSecret }) => {
      fs.writeFileSync(path.join(directory, 'id'), clientId)
      fs.writeFileSync(path.join(directory, 'secret'), clientSecret)
    }
    write(first)
    return {
      credentials: fromDirectory(directory, { clientId: 'id', clientSecret: 'secret' }),
      change: write,
    }
  },
  'an env file': (first) => {
    const write = ({ clientId, clientSecret }) =>
      `export APP_ID=${clientId} # ours\r\nAPP_SECRET='${clientSecret}'\r\n`
    const file = temporaryFile(write(first))
    return {
      credentials: fromEnvFile(file, { clientId: 'APP_ID', clientSecret: 'APP_SECRET' }),
      change: (credential) => fs.writeFileSync(file, write(credential)),
    }
  },
  'a function': (first) => {
    let current = first
    return { credentials: async () => current, change: (credential) => (current = credential) }
  },
}

module.exports = { SOURCES, temporaryDirectory, temporaryFile, variables }
