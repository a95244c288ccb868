'use strict'

const fs = require('node:fs')

const dotenv = require('dotenv')

const { temporaryFile } = require('./support/changing')
const { child } = require('./support/process')
const { closeAll, server } = require('./support/world')

afterEach(closeAll)

/** One that a file has to quote. */
const NEW = 'n3w s3cret$x'
const FILE = 'APP_ID=app\nAPP_SECRET=old\n'
/** What the process manager was started with, and what is in the file. */
const OLD = { APP_ID: 'app', APP_SECRET: 'old' }
const STALE = '[OAUTH_ROTOR_STALE_VARIABLE] OAuthRotorWarning: credentials[0]: '

/** What `docker run --env-file` makes of a file: it knows no quotes. */
const literal = (file) =>
  Object.fromEntries(
    fs
      .readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => /^(\w+)=(.*)$/.exec(line).slice(1)),
  )

/**
 * A service, in a process of its own, that is started, rotates to the new secret, and is killed.
 * The provider takes only the new one from then on. `again` starts it another time.
 */
async function rotated({ kind, secret = NEW, env = OLD, flags = [], config = false }) {
  const provider = await server({ clients: { app: ['old', secret] } })
  const file = temporaryFile(FILE)
  const values = { kind, file, config, tokenUrl: provider.tokenUrl }
  const start = (environment) =>
    child('service.js', values, { env: environment, flags: flags.map((flag) => flag.replace('FILE', file)) })
  const first = start(env)
  await first.said('1: ready')
  first.tell(`rotate ${secret}`)
  await first.said('1: rotated')
  provider.setSecrets('app', [secret])
  first.kill('SIGKILL')
  await first.ended
  const from = provider.requests.length
  return {
    file,
    presented: () => provider.requests.slice(from).map(({ presented }) => presented),
    again: (environment = () => env) => start(environment(file)),
  }
}

/** How the second process fared, once it has said this. */
async function outcome({ service, presented }, said) {
  await service.said(said)
  service.tell('end')
  const { code, stderr } = await service.ended
  return { code, presented: presented(), isWarned: stderr.includes(STALE), stderr }
}

const VARIABLES = { kind: 'variables and the file' }
const [major, minor] = process.versions.node.split('.').map(Number)

describe('a process that is started again after a rotation presents the new secret at once', () => {
  const situations = [
    [
      'pm2 restart, systemd Environment=, docker restart: the same environment',
      VARIABLES,
      { isWarned: true },
    ],
    [
      'the same, of a program that calls dotenv.config(): it leaves alone what is set',
      { ...VARIABLES, config: true },
      { isWarned: true },
    ],
    ['dotenv.config() alone', { ...VARIABLES, config: true, env: {} }, { isWarned: false }],
    [
      'systemd EnvironmentFile=: the variables are read from the file again',
      VARIABLES,
      { isWarned: false, environment: (file) => dotenv.parse(fs.readFileSync(file)) },
    ],
    [
      'docker run --env-file, with a secret that needs no quotes',
      { ...VARIABLES, secret: 'n3w-s3cret' },
      { isWarned: false, environment: literal },
    ],
    [
      'docker run --env-file, with one that does: to Docker the quotes are a part of it',
      VARIABLES,
      { isWarned: true, environment: literal },
    ],
    ['fromEnvFile, whatever the environment holds', { kind: 'the env file' }, { isWarned: false }],
    // Node.js 20.6 and later.
    ...(major > 20 || minor >= 6
      ? [
          ['node --env-file', { ...VARIABLES, env: {}, flags: ['--env-file=FILE'] }, { isWarned: false }],
          [
            'node --env-file, under a process manager that has the old variables',
            { ...VARIABLES, flags: ['--env-file=FILE'] },
            { isWarned: true },
          ],
        ]
      : []),
  ]

  test.each(situations)('%s', async (_, options, { isWarned, environment }) => {
    const world = await rotated(options)
    const service = world.again(environment)
    const { secret = NEW } = options
    const { stderr, ...rest } = await outcome({ ...world, service }, '1: ready')
    expect(rest).toEqual({ code: 0, presented: [secret], isWarned })
    expect(stderr).not.toContain(secret)
    if (isWarned) expect(stderr).toContain(`(APP_ID, APP_SECRET) than ${world.file}`)
    else expect(stderr).toBe('')
  })
})

test('without a file there is nothing but the old secret', async () => {
  const world = await rotated({ kind: 'variables alone' })
  const service = world.again()
  const { presented } = await outcome({ ...world, service }, '1: not ready: ERR_CREDENTIAL_REJECTED')
  expect(new Set(presented)).toEqual(new Set(['old']))
})

test('variables that were deployed anew are used where the file’s secret has ended', async () => {
  const world = await rotated(VARIABLES)
  fs.writeFileSync(world.file, FILE)
  const service = world.again(() => ({ APP_ID: 'app', APP_SECRET: NEW }))
  const { presented, isWarned } = await outcome({ ...world, service }, '1: ready')
  expect({ presented, isWarned }).toEqual({ presented: ['old', NEW], isWarned: false })
})
