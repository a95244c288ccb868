'use strict'

const { child, until } = require('./support/process')
const { closeAll, server } = require('./support/world')

afterEach(closeAll)

const SOON = { code: 0, signal: null, stderr: '' }

test('an idle manager lets the process end by itself', async () => {
  const { tokenUrl } = await server()
  const { stdout, ...end } = await child('end.js', { tokenUrl, how: 'idle' }).ended
  expect(end).toEqual(SOON)
  expect(stdout).toMatch(/^token \S+\n$/)
})

test('a fetch that nobody waits for does not hold the process', async () => {
  const { tokenUrl } = await server({ latencyMs: 3_600_000 })
  const end = await child('end.js', { tokenUrl, how: 'unused' }).ended
  expect(end).toEqual({ ...SOON, stdout: 'opened\n' })
})

test('a getToken under way holds the process until it has its token', async () => {
  const { tokenUrl } = await server({ latencyMs: 1000 })
  const { stdout, ...end } = await child('end.js', { tokenUrl, how: 'pending' }).ended
  expect(end).toEqual(SOON)
  expect(stdout).toMatch(/^asking\ntoken \S+\n$/)
})

test('a getToken under way holds the process until it is refused', async () => {
  const { tokenUrl } = await server({ latencyMs: 3_600_000 })
  const options = { acquireTimeoutMs: 500 }
  const end = await child('end.js', { tokenUrl, how: 'pending', options }).ended
  expect(end).toEqual({ ...SOON, stdout: 'asking\nrefused ERR_TOKEN_UNAVAILABLE\n' })
})

test('a rotate under way holds the process until it is refused', async () => {
  const { tokenUrl } = await server({ latencyMs: 3_600_000 })
  const end = await child('end.js', { tokenUrl, how: 'rotating' }).ended
  expect(end).toEqual({ ...SOON, stdout: 'rotating\nERR_ROTATION_TIMEOUT\n' })
})

test.each([
  ['aborted', 'aborted\nrefused MINE\n'],
  ['closed', 'refused ERR_CLOSED\n'],
])('a getToken that was %s holds the process no longer', async (how, stdout) => {
  const { tokenUrl } = await server({ latencyMs: 3_600_000 })
  const options = { acquireTimeoutMs: 3_600_000 }
  expect(await child('end.js', { tokenUrl, how, options }).ended).toEqual({ ...SOON, stdout })
})

describe('in mid-fetch', () => {
  async function started(how) {
    const provider = await server({ latencyMs: 3_600_000 })
    const process = child('end.js', { tokenUrl: provider.tokenUrl, how })
    await until(() => provider.requests.length === 1)
    return { provider, process }
  }

  test('process.exit() ends the process with its code and without a word', async () => {
    const { process } = await started('exit')
    process.tell('now')
    expect(await process.ended).toEqual({ code: 3, signal: null, stdout: '', stderr: '' })
  })

  test('an uncaught exception ends the process as it does without a manager', async () => {
    const { process } = await started('throw')
    process.tell('now')
    const { stderr, ...end } = await process.ended
    expect(end).toEqual({ code: 1, signal: null, stdout: '' })
    expect(stderr).toMatch(/Error: mine\n/)
    expect(stderr).not.toMatch(/panic|fatal|napi|\/lib\//i)
  })

  test('SIGTERM ends the process, and its request is given up', async () => {
    const { provider, process } = await started('stay')
    process.kill('SIGTERM')
    expect(await process.ended).toEqual({ code: null, signal: 'SIGTERM', stdout: '', stderr: '' })
    await until(() => provider.connections === 0)
  })
})

test('process.exit() in a listener ends the process with its code', async () => {
  const { tokenUrl } = await server()
  const { code, stderr } = await child('end.js', { tokenUrl, how: 'exit-in-listener' }).ended
  expect({ code, stderr }).toEqual({ code: 4, stderr: '' })
})
