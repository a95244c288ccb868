'use strict'

const path = require('node:path')
const { inspect } = require('node:util')

const errors = require('../lib/errors')

const { fromNative } = require('../lib/native/reports')
const { callSite } = require('../lib/stacks')

const { RotorError, TokenUnavailableError, ClosedError, isRotorError } = errors

function anotherCopy() {
  let copy
  jest.isolateModules(() => {
    copy = require('../lib/errors')
  })
  return copy
}

/**
 * The line of code of the topmost frame; Jest's source maps give frames the names of their
 * neighbours.
 */
function firstLine({ stack }) {
  return /errors\.test\.js:(\d+)/.exec(stack.split('\n')[1])?.[1]
}

describe('the classes', () => {
  const classes = Object.values(errors).filter((value) => typeof value?.code === 'string')

  test('there is one for each code', () => {
    const codes = classes.map(({ code }) => code)
    expect(codes).toEqual([...new Set(codes)])
    expect(codes).toHaveLength(30)
  })

  test.each(classes.map((Class) => [Class.name, Class]))(
    '%s is an Error with a name, a code and a stack',
    (name, Class) => {
      const error = new Class('What happened.')
      expect(error).toBeInstanceOf(Error)
      expect(error).toBeInstanceOf(RotorError)
      expect(error.name).toBe(name)
      expect(error.code).toBe(Class.code)
      expect(typeof error.retryable).toBe('boolean')
      expect(error.stack).toMatch(new RegExp(`^${name}: What happened\\.\n.*errors\\.test\\.js`))
    },
  )

  test('only what may succeed later is retryable', () => {
    const retryable = classes.filter((Class) => new Class('…').retryable).map(({ code }) => code)
    expect(retryable.sort()).toEqual([
      'ERR_BODY_CONSUMED',
      'ERR_CREDENTIAL_UNAVAILABLE',
      'ERR_DEGRADED',
      'ERR_ENDPOINT',
      'ERR_NO_KEY',
      'ERR_PERSIST_FAILED',
      'ERR_RETIRE_BLOCKED',
      'ERR_ROTATION_TIMEOUT',
      'ERR_THROTTLED',
      'ERR_TOKEN_UNAVAILABLE',
    ])
  })

  test('a missing token is as retryable as its cause', () => {
    const without = (Class) => new TokenUnavailableError('…', { cause: new Class('…') }).retryable
    expect(without(errors.CredentialRejectedError)).toBe(false)
    expect(without(errors.MisconfiguredError)).toBe(false)
    expect(without(errors.ThrottledError)).toBe(true)
    expect(without(errors.EndpointError)).toBe(true)
    expect(without(errors.DegradedError)).toBe(true)
  })

  test('a refusal that leaves it open may be retried, and no other rejection', () => {
    const bare = fromNative({ code: 'ERR_CREDENTIAL_REJECTED', message: '…', status: 403, retryable: true })
    expect(bare).toMatchObject({ retryable: true, status: 403 })
    expect(new TokenUnavailableError('…', { cause: bare }).retryable).toBe(true)
    expect(JSON.parse(JSON.stringify(bare)).retryable).toBe(true)
    expect(fromNative({ code: 'ERR_CREDENTIAL_REJECTED', message: '…', status: 401 }).retryable).toBe(false)
    expect(fromNative({ code: 'ERR_MISCONFIGURED', message: '…', retryable: true }).retryable).toBe(false)
  })

  test('inspect and JSON show code, details and cause', () => {
    const cause = new errors.EndpointError('The connection was refused.', { status: 503 })
    const error = new TokenUnavailableError('No token came in 5 s.', { retryAfterMs: 200, cause })
    const text = inspect(error)
    expect(text).toContain('ERR_TOKEN_UNAVAILABLE')
    expect(text).toContain('[cause]: EndpointError: The connection was refused.')
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'TokenUnavailableError',
      message: 'No token came in 5 s.',
      code: 'ERR_TOKEN_UNAVAILABLE',
      retryable: true,
      retryAfterMs: 200,
      cause: {
        name: 'EndpointError',
        message: 'The connection was refused.',
        code: 'ERR_ENDPOINT',
        retryable: true,
        status: 503,
      },
    })
  })
})

describe('across two copies of the package', () => {
  const copy = anotherCopy()

  test('they are two copies', () => {
    expect(copy.RotorError).not.toBe(RotorError)
  })

  test('instanceof and isRotorError recognise the errors of the other', () => {
    const foreign = new copy.ClosedError('…')
    expect(foreign instanceof ClosedError).toBe(true)
    expect(foreign instanceof RotorError).toBe(true)
    expect(foreign instanceof TokenUnavailableError).toBe(false)
    expect(isRotorError(foreign)).toBe(true)
  })

  test('the cause of another copy still decides and is still told', () => {
    const error = new TokenUnavailableError('…', { cause: new copy.MisconfiguredError('Wrong scope.') })
    expect(error.retryable).toBe(false)
    expect(JSON.parse(JSON.stringify(error)).cause.message).toBe('Wrong scope.')
  })
})

test("a user's own subclass does not claim every error of the package", () => {
  class Mine extends RotorError {}
  expect(new ClosedError('…') instanceof Mine).toBe(false)
  expect(new Mine('ERR_MINE', '…') instanceof Mine).toBe(true)
  expect(new Mine('ERR_MINE', '…') instanceof RotorError).toBe(true)
})

test.each([[undefined], [null], ['ERR_CLOSED'], [{ code: 'ERR_CLOSED' }], [new Error('…')]])(
  '%p is none of our errors',
  (value) => {
    expect(isRotorError(value)).toBe(false)
    expect(value instanceof RotorError).toBe(false)
  },
)

test('whatever was thrown, asking whether it is one of ours does not throw', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('…')
      },
    },
  )
  for (const value of [proxy, hostile]) expect(isRotorError(value)).toBe(false)
  expect(() => hostile instanceof RotorError).not.toThrow()
})

describe('what the native part reports', () => {
  const report = {
    code: 'ERR_TOKEN_UNAVAILABLE',
    message: 'No token came in 5 s.',
    retryAfterMs: 1200,
    cause: {
      code: 'ERR_CREDENTIAL_REJECTED',
      message: 'Refused.',
      status: 400,
      oauthError: 'invalid_client',
      description: 'no',
    },
  }

  test.each([
    ['an object', report],
    ['JSON', JSON.stringify(report)],
  ])('becomes the class of its code, given as %s', (_, given) => {
    const error = fromNative(given)
    expect(error).toBeInstanceOf(TokenUnavailableError)
    expect(error).toMatchObject({ message: report.message, retryAfterMs: 1200, retryable: false })
    expect(error.cause).toBeInstanceOf(errors.CredentialRejectedError)
    expect(error.cause).toMatchObject({ status: 400, oauthError: 'invalid_client', description: 'no' })
  })

  test('carries only the details that belong to its code', () => {
    expect(fromNative({ code: 'ERR_CLOSED', message: '…', lifetimeMs: 3 })).not.toHaveProperty('lifetimeMs')
    const rotation = { credentialId: 'c', rotationId: 'r', lookedAt: ['c'], missing: { proof: true } }
    for (const [code, details] of Object.entries({
      ERR_CANDIDATE_REJECTED: ['credentialId', 'rotationId'],
      ERR_CANDIDATE_UNVERIFIED: ['credentialId', 'rotationId'],
      ERR_NO_CUSTODY: ['credentialId', 'rotationId'],
      ERR_ROTATION_CONFLICT: ['rotationId'],
      ERR_ROTATION_TIMEOUT: ['rotationId'],
      ERR_NO_CANDIDATE: ['lookedAt'],
      ERR_RETIRE_BLOCKED: ['missing'],
      ERR_DEGRADED: [],
    })) {
      const error = fromNative({ code, message: '…', ...rotation })
      expect(Object.keys(error).sort()).toEqual(['code', 'retryable', ...details].sort())
      for (const detail of details) expect(error[detail]).toEqual(rotation[detail])
    }
    expect(fromNative({ code: 'ERR_LIFETIME_TOO_SHORT', message: '…', lifetimeMs: 3 }).lifetimeMs).toBe(3)
    expect(fromNative({ code: 'ERR_OPTIONS_CONFLICT', message: '…', option: 'provider' }).option).toBe(
      'provider',
    )
  })

  test('keeps a code that this version does not know', () => {
    const error = fromNative({ code: 'ERR_OF_TOMORROW', message: '…' })
    expect(isRotorError(error)).toBe(true)
    expect(error.code).toBe('ERR_OF_TOMORROW')
  })

  test('leaves out the frames of the function it was made for', () => {
    function inner() {
      return fromNative(report, inner)
    }
    const [error, here] = [inner(), new Error('here')]
    expect(error.stack).toMatch(/^TokenUnavailableError: No token came in 5 s\.\n/)
    expect(firstLine(error)).toBe(firstLine(here))
  })

  test('carries the stack of a caller that returned long ago', async () => {
    let site
    function getToken() {
      site = callSite(getToken)
    }
    const here = (getToken(), new Error('here'))
    await new Promise(setImmediate)
    const error = fromNative(report, site)
    expect(error.stack).toMatch(/^TokenUnavailableError: No token came in 5 s\.\n/)
    expect(error.cause.stack).toMatch(/^CredentialRejectedError: Refused\.\n/)
    expect(firstLine(error)).toBe(firstLine(here))
    expect(firstLine(error.cause)).toBe(firstLine(here))
    expect(Object.keys(error)).not.toContain('stack')
  })

  describe('where an engine does not show the method on its stack, as Bun after a tail call,', () => {
    const gone = () => {}

    test('names the frames of the caller all the same, and none of this package', () => {
      function caller() {
        return [fromNative(report, gone), fromNative(report, callSite(gone)), new Error('here')]
      }
      const [now, later, here] = caller()
      for (const error of [now, later]) {
        expect(error.stack).toMatch(/^TokenUnavailableError: No token came in 5 s\.\n {4}at /)
        expect(firstLine(error)).toBe(firstLine(here))
        expect(error.stack).not.toContain(path.join(__dirname, '..', 'lib') + path.sep)
        expect(Object.keys(error)).not.toContain('stack')
      }
    })

    test('is an error without frames, where the program wants none or other ones', () => {
      const { stackTraceLimit, prepareStackTrace } = Error
      try {
        Error.stackTraceLimit = 0
        expect(fromNative(report, callSite(gone)).message).toBe(report.message)
        Error.stackTraceLimit = 10
        Error.prepareStackTrace = (_, frames) => frames
        expect(fromNative(report, gone).message).toBe(report.message)
        expect(fromNative(report, callSite(gone)).message).toBe(report.message)
      } finally {
        Object.assign(Error, { stackTraceLimit, prepareStackTrace })
      }
    })
  })
})
