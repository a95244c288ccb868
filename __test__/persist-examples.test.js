'use strict'

const fs = require('node:fs')
const path = require('node:path')

const { SecretsManagerClient } = require('@aws-sdk/client-secrets-manager')

const { secretsManager } = require('../examples/persist/aws-secrets-manager')
const { kubernetesSecret } = require('../examples/persist/kubernetes-secret')
const { vaultKv } = require('../examples/persist/vault-kv')
const { authority, issue } = require('./support/certificates')
const { temporaryDirectory } = require('./support/changing')
const { NEW, OLD, rotationWorld } = require('./support/rotations')
const { scriptedServer } = require('./support/scripted-server')
const { closeAll, event, rejection } = require('./support/world')

afterEach(closeAll)

const RETRY_MS = 10_000
/** How long one attempt may take. */
const TIMEOUT_MS = 30_000

/**
 * A rotation whose `persist` is this function: `told` resolves with how the next attempt
 * has ended.
 */
async function rotating(persist) {
  const { clock, tokens } = await rotationWorld({ credentials: { ...OLD, persist } })
  const told = () => event(tokens, 'persisted')
  const first = told()
  const rotation = tokens.rotate(NEW)
  rotation.catch(() => {})
  return {
    tokens,
    rotation,
    first,
    /** The same after the time that a function has until it is called again. */
    async again() {
      const next = told()
      await clock.advance(RETRY_MS)
      return next
    },
    pass: (millis) => clock.advance(millis),
    settle: async () => {
      await clock.advance(0)
      return rotation
    },
  }
}

/**
 * What every backend owes: it is written once, a failure is told by its kind and tried again, a hang
 * ends.
 */
function contract({ open, otherFailures }) {
  test('a new secret is written', async () => {
    const { persist, written } = await open()
    const { first, settle } = await rotating(persist)
    expect(await first).toMatchObject({ outcome: 'done' })
    expect(await settle()).toMatchObject({ phase: 'overlap', persisted: 'done' })
    expect(written()).toEqual({ clientId: 'app', clientSecret: 'new' })
  })

  test.each(otherFailures)('%s is told, and it is tried again', async (_, answers, kind) => {
    const { persist, backend, written } = await open()
    backend.respond(...[answers].flat())
    const { first, again, settle, tokens } = await rotating(persist)
    expect(await first).toMatchObject({ outcome: 'failed', message: expect.stringContaining(kind) })
    expect(tokens.status()).toMatchObject({ phase: 'staged', generation: 1 })
    expect(await again()).toMatchObject({ outcome: 'done' })
    expect((await settle()).persisted).toBe('done')
    expect(written()).toEqual({ clientId: 'app', clientSecret: 'new' })
  })

  test('a backend that does not answer is given up in time, and tried again', async () => {
    const { persist, backend, written } = await open()
    backend.respond('hang')
    const asked = backend.next()
    const { first, again, pass } = await rotating(persist)
    await asked
    await pass(TIMEOUT_MS)
    expect(await first).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('persistTimeoutMs'),
    })
    expect(await again()).toMatchObject({ outcome: 'done' })
    expect(written()).toEqual({ clientId: 'app', clientSecret: 'new' })
  })

  test('an aborted signal ends it', async () => {
    const { persist, backend } = await open()
    backend.respond('hang')
    const controller = new AbortController()
    const call = persist({ clientId: 'app', clientSecret: 'hunter2' }, { signal: controller.signal })
    call.catch(() => {})
    controller.abort()
    const error = await rejection(call)
    expect(error.name).toBe('AbortError')
    expect(`${error.message}${JSON.stringify(error)}`).not.toContain('hunter2')
  })
}

describe('a Kubernetes Secret', () => {
  let certificates

  beforeAll(async () => {
    const ca = await authority()
    certificates = { ca, server: await issue(ca, 'kubernetes') }
  })

  const keys = { clientId: 'client-id', clientSecret: 'client-secret' }

  async function open({ namespace } = {}) {
    const backend = await scriptedServer({ tls: certificates.server, otherwise: { status: 200 } })
    const serviceAccount = temporaryDirectory()
    const write = (file, text) => fs.writeFileSync(path.join(serviceAccount, file), text)
    write('token', 'bound-token\n')
    write('namespace', 'webhooks')
    write('ca.crt', certificates.ca.cert)
    const [host, { port }] = ['127.0.0.1', backend]
    const persist = kubernetesSecret({ name: 'gc', keys, host, port, serviceAccount, namespace })
    const decoded = (text) => Buffer.from(text, 'base64').toString()
    const written = () => {
      const { data } = backend.requests.at(-1).body
      return { clientId: decoded(data['client-id']), clientSecret: decoded(data['client-secret']) }
    }
    return { backend, persist, written, write }
  }

  contract({
    open,
    otherFailures: [
      ['403', { status: 403, body: { reason: 'Forbidden' } }, 'Error (403)'],
      ['a missing Secret', { status: 404, body: { reason: 'NotFound' } }, 'Error (404)'],
      ['409', { status: 409, body: { reason: 'Conflict' } }, 'Error (409)'],
      ['503', { status: 503 }, 'Error (503)'],
    ],
  })

  test('gets one patch of both keys, by the account of the pod', async () => {
    const { backend, persist, write } = await open()
    await persist({ clientId: 'app', clientSecret: 'new' })
    write('token', 'renewed-token')
    await persist({ clientId: 'app', clientSecret: 'newer' })
    expect(backend.requests).toHaveLength(2)
    expect(backend.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/namespaces/webhooks/secrets/gc',
      headers: { authorization: 'Bearer bound-token', 'content-type': 'application/merge-patch+json' },
      body: { data: { 'client-id': 'YXBw', 'client-secret': 'bmV3' } },
    })
    expect(backend.requests[1].headers.authorization).toBe('Bearer renewed-token')
  })

  test('of another namespace is possible, and another certificate authority is not', async () => {
    const { backend, persist, write } = await open({ namespace: 'other' })
    await persist({ clientId: 'app', clientSecret: 'new' })
    expect(backend.requests[0].path).toBe('/api/v1/namespaces/other/secrets/gc')
    write('ca.crt', (await authority('another')).cert)
    const error = await rejection(persist({ clientId: 'app', clientSecret: 'new' }))
    expect(error.code).toMatch(/CERT|SIGNATURE/)
    expect(backend.requests).toHaveLength(1)
  })
})

describe('AWS Secrets Manager', () => {
  const failed = (type, status = 400) => ({ status, body: { __type: type, message: 'hunter2' } })

  async function open() {
    const backend = await scriptedServer({ otherwise: { status: 200 } })
    const client = new SecretsManagerClient({
      region: 'sa-east-1',
      endpoint: backend.url,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'hunter2' },
      maxAttempts: 1,
    })
    const written = () => JSON.parse(backend.requests.at(-1).body.SecretString)
    return { backend, written, ...secretsManager({ secretId: 'gc/oauth', client }) }
  }

  contract({
    open,
    otherFailures: [
      ['a denied access', failed('AccessDeniedException'), 'AccessDeniedException'],
      ['a missing secret', failed('ResourceNotFoundException'), 'ResourceNotFoundException'],
      ['a conflict', failed('ResourceExistsException'), 'ResourceExistsException'],
      ['503', failed('ServiceUnavailableException', 503), 'ServiceUnavailableException'],
    ],
  })

  test('gets a signed PutSecretValue, with a token of its own each time', async () => {
    const { backend, persist } = await open()
    for (const clientSecret of ['new', 'old', 'new']) await persist({ clientId: 'app', clientSecret })
    expect(backend.requests[0]).toMatchObject({
      method: 'POST',
      path: '/',
      headers: {
        'x-amz-target': 'secretsmanager.PutSecretValue',
        'content-type': 'application/x-amz-json-1.1',
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/sa-east-1\/secretsmanager\/aws4_request, SignedHeaders=/,
        ),
      },
      body: {
        SecretId: 'gc/oauth',
        SecretString: '{"clientId":"app","clientSecret":"new"}',
        ClientRequestToken: expect.stringMatching(/^.{32,64}$/),
      },
    })
    // AWS would ignore one that it has seen: a secret that becomes active again has to be written
    // again.
    expect(new Set(backend.requests.map(({ body }) => body.ClientRequestToken)).size).toBe(3)
  })

  test('is read from, and followed', async () => {
    const { backend, read } = await open()
    let SecretString = '{"clientId":"app","clientSecret":"old"}'
    backend.respond(...Array.from({ length: 50 }, () => () => ({ status: 200, body: { SecretString } })))
    const credentials = { clientId: 'app', clientSecret: read }
    const { clock, tokens } = await rotationWorld({ credentials })
    expect(backend.requests[0].headers['x-amz-target']).toBe('secretsmanager.GetSecretValue')
    SecretString = '{"clientId":"app","clientSecret":"new"}'
    const promoted = event(tokens, 'rotation', ({ change }) => change === 'promoted')
    await clock.advance(RETRY_MS)
    await promoted
  })
})

describe('Vault KV version 2', () => {
  /** A KV engine with one path, which checks and sets. */
  async function open({ version = 3, data = { client_id: 'app', client_secret: 'old', team: 'x' } } = {}) {
    const current = { version, data }
    const backend = await scriptedServer({
      otherwise: ({ method, body }) => {
        if (method === 'GET') {
          if (current.version === 0) return { status: 404, body: { errors: [] } }
          const status = current.data === null ? 404 : 200
          return { status, body: { data: { data: current.data, metadata: { version: current.version } } } }
        }
        if (body.options.cas !== current.version) return CONFLICT
        Object.assign(current, { version: current.version + 1, data: body.data })
        return { status: 200, body: { data: { version: current.version } } }
      },
    })
    const token = () => 'hvs.token'
    const vault = vaultKv({ path: 'pagerduty/oauth', address: backend.url, token })
    const written = () => ({
      clientId: current.data.client_id,
      clientSecret: current.data.client_secret,
    })
    return { backend, current, written, ...vault }
  }

  const CONFLICT = {
    status: 400,
    body: { errors: ['check-and-set parameter did not match the current version'] },
  }
  const denied = { status: 403, body: { errors: ['permission denied'] } }
  const found = { status: 200, body: { data: { data: {}, metadata: { version: 3 } } } }

  contract({
    open,
    otherFailures: [
      ['403', denied, 'Error (403)'],
      ['403 to the write alone', [found, denied], 'Error (403)'],
      ['400 of another kind', [found, { status: 400, body: { errors: ['invalid'] } }], 'Error (400)'],
      ['503 (sealed)', { status: 503, body: { errors: ['Vault is sealed'] } }, 'Error (503)'],
      [
        'a conflict that does not end',
        Array.from({ length: 5 }, () => [found, CONFLICT]).flat(),
        'Error (400)',
      ],
    ],
  })

  test('is written with check-and-set, and keeps its other keys', async () => {
    const { backend, persist } = await open()
    await persist({ clientId: 'app', clientSecret: 'new' })
    const [read, write] = backend.requests
    expect(read).toMatchObject({ method: 'GET', path: '/v1/secret/data/pagerduty/oauth' })
    expect(write).toMatchObject({
      method: 'POST',
      path: '/v1/secret/data/pagerduty/oauth',
      headers: { 'x-vault-token': 'hvs.token', 'content-type': 'application/json' },
      body: { options: { cas: 3 }, data: { client_id: 'app', client_secret: 'new', team: 'x' } },
    })
  })

  test('that another instance writes meanwhile is read again', async () => {
    const { backend, current, persist, written } = await open()
    backend.respond(() => {
      const body = { data: { data: { ...current.data }, metadata: { version: current.version } } }
      Object.assign(current, { version: 4, data: { ...current.data, team: 'y' } })
      return { status: 200, body }
    })
    await persist({ clientId: 'app', clientSecret: 'new' })
    expect(backend.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET', 'POST'])
    expect([current.version, current.data.team, written().clientSecret]).toEqual([5, 'y', 'new'])
  })

  test('that another instance has written the same to is left alone', async () => {
    const { backend, persist } = await open({ data: { client_id: 'app', client_secret: 'new' } })
    await persist({ clientId: 'app', clientSecret: 'new' })
    expect(backend.requests.map(({ method }) => method)).toEqual(['GET'])
  })

  test.each([
    ['was never written', { version: 0 }, 0],
    ['was deleted', { version: 7, data: null }, 7],
  ])('that %s is written', async (_, options, cas) => {
    const { backend, persist, written } = await open(options)
    await persist({ clientId: 'app', clientSecret: 'new' })
    expect(backend.requests[1].body.options).toEqual({ cas })
    expect(written()).toEqual({ clientId: 'app', clientSecret: 'new' })
  })

  test('is read from, and followed', async () => {
    const { current, read } = await open()
    const { clock, tokens } = await rotationWorld({ credentials: { clientId: 'app', clientSecret: read } })
    current.data = { client_id: 'app', client_secret: 'new' }
    const promoted = event(tokens, 'rotation', ({ change }) => change === 'promoted')
    await clock.advance(RETRY_MS)
    await promoted
  })
})
