'use strict'

const fs = require('node:fs')
const path = require('node:path')

const { fromDirectory, fromEnvFile, fromFile } = require('..')
const { flawOf } = require('../lib/options/credential-text')
const cases = require('../src/source/flaws.json')
const { temporaryDirectory, temporaryFile } = require('./support/changing')
const { failure, valid } = require('./support/seam')
const { closeAll, manager, server } = require('./support/world')

afterEach(closeAll)

/** The native part's own tests (`src/source/flaw.rs`) see that it says the same. */
test.each(cases)('$text: $flaw', ({ text, flaw }) => {
  expect(flawOf(text) ?? null).toBe(flaw)
})

test.each([
  ['hunter2\u200b', 'an invisible character (U+200B)'],
  ['\ufeffhunter2', 'an invisible character (U+FEFF)'],
  ['hunter2\u00a0', 'a blank that is no plain space (U+00A0)'],
  ['hunter2 ', 'a blank at its beginning or end'],
])('options with %j are refused, without being repeated', (text, flaw) => {
  const problems = ['clientId', 'clientSecret'].map((key) => {
    return failure(valid({ credentials: { clientId: 'app', clientSecret: 'secret', [key]: text } })).problems
  })
  for (const [index, [problem]] of problems.entries()) {
    expect(problem.option).toBe(['credentials.clientId', 'credentials.clientSecret'][index])
    expect(problem.message).toContain(flaw)
    expect(problem.message).not.toContain('hunter2')
  }
})

describe('a byte order mark at the beginning is the file’s, and reaches no endpoint', () => {
  const ID = 'APP_ID'
  const SECRET = 'APP_SECRET'
  const marked = (text) => temporaryFile(`\ufeff${text}`)

  test.each([
    [
      'fromFile',
      () => ({ clientId: fromFile(marked('app')), clientSecret: fromFile(marked('hunter2\r\n')) }),
    ],
    [
      'fromDirectory',
      () => {
        const directory = temporaryDirectory()
        fs.writeFileSync(path.join(directory, 'id'), '\ufeffapp')
        fs.writeFileSync(path.join(directory, 'secret'), '\ufeffhunter2\r\n')
        return fromDirectory(directory, { clientId: 'id', clientSecret: 'secret' })
      },
    ],
    [
      'fromEnvFile of both',
      () => fromEnvFile(marked(`${ID}=app\r\n${SECRET}=hunter2\r\n`), { clientId: ID, clientSecret: SECRET }),
    ],
    [
      'fromEnvFile of one',
      () => ({ clientId: 'app', clientSecret: fromEnvFile(marked(`${SECRET}=hunter2\r\n`), SECRET) }),
    ],
  ])('%s', async (_, make) => {
    const provider = await server({ clients: { app: ['hunter2'] } })
    await manager(provider, { credentials: make() }).ready()
    expect(provider.requests).toMatchObject([{ clientId: 'app', presented: 'hunter2', status: 200 }])
  })
})
