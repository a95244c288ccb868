import {
  TokenManager,
  envFile,
  fromDirectory,
  fromEnv,
  fromEnvFile,
  fromFile,
  genesysCloud,
  isRotorError,
  oauth2,
  pagerDuty,
  secretFile,
  CredentialRejectedError,
  DegradedError,
  InvalidOptionError,
  RotorError,
  TokenUnavailableError,
} from '../..'
import type {
  CredentialPhase,
  GetTokenOptions,
  Missing,
  PersistFunction,
  Preparation,
  Provider,
  RotateOptions,
  Rotation,
  RotationSnapshot,
  RotorErrorCode,
  RotorEvents,
  TokenManagerOptions,
  TokenSource,
} from '../..'
// @ts-expect-error What the contract declares for its own use cannot be imported.
import type { opaque as _opaque } from '../..'

import { collectMetrics } from '../../lib/integrations/prometheus'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<_Proof extends true>(): void {}

const provider: Provider = genesysCloud({ region: 'sa_east_1' })
const credentials = fromEnv('ID', 'SECRET')
const tokens = new TokenManager({ provider, credentials })

// Every optional may be given as undefined, also under exactOptionalPropertyTypes.
export const sparse: TokenManagerOptions = {
  provider,
  credentials,
  name: undefined,
  refreshBeforeMs: undefined,
  jitterRatio: undefined,
  expiryMarginMs: undefined,
  maxTokenAgeMs: undefined,
  minRunwayMs: undefined,
  acquireTimeoutMs: undefined,
  requestTimeoutMs: undefined,
  sourcePollMs: undefined,
  overlapMs: undefined,
  timeZone: undefined,
  strict: undefined,
  clock: undefined,
}
export const noOptions: GetTokenOptions = { minValidityMs: undefined, signal: undefined }
oauth2({
  tokenUrl: 'https://idp.example',
  clientAuth: undefined,
  scope: undefined,
  audience: undefined,
  resource: undefined,
  params: undefined,
  defaultLifetimeMs: undefined,
  ignoreExpiresIn: undefined,
  treatAsBearer: undefined,
  rejectedErrors: undefined,
  userAgent: undefined,
  propagationMs: undefined,
  tls: { ca: undefined, cert: undefined, key: undefined },
  proxy: undefined,
  allowInsecureHttp: undefined,
})

// Providers.
pagerDuty({ scope: 'as_account-us.acme incidents.read' })
genesysCloud({ host: 'login.mypurecloud.ie', proxy: false, resource: ['urn:a', 'urn:b'] as const })
oauth2({ tokenUrl: 'https://idp.example', tls: { ca: ['pem', new Uint8Array(1)] }, params: { tenant: 'a' } })
// @ts-expect-error the scope is required
pagerDuty({})
// @ts-expect-error one of region and host
genesysCloud({ region: 'us_east_1', host: 'login.mypurecloud.com' })
// @ts-expect-error presets have no tokenUrl
genesysCloud({ region: 'us_east_1', tokenUrl: 'https://idp.example' })
genesysCloud({
  region: 'us_east_1',
  ignoreExpiresIn: true,
  treatAsBearer: true,
  rejectedErrors: ['unknown_application'] as const,
  userAgent: 'acme/1.2',
})
// @ts-expect-error a list of codes
oauth2({ tokenUrl: 'https://idp.example', rejectedErrors: 'unknown_application' })
// @ts-expect-error a misspelt option
oauth2({ tokenUrl: 'https://idp.example', scopes: 'a' })
// @ts-expect-error not a way to authenticate
oauth2({ tokenUrl: 'https://idp.example', clientAuth: 'digest' })
// @ts-expect-error true is no proxy
oauth2({ tokenUrl: 'https://idp.example', proxy: true })
// @ts-expect-error a parameter is a string
oauth2({ tokenUrl: 'https://idp.example', params: { a: 1 } })

// The manager's options.
// @ts-expect-error the provider is required
new TokenManager({ credentials })
// @ts-expect-error a plain object is no provider
new TokenManager({ provider: { tokenUrl: 'https://idp.example' }, credentials })
// @ts-expect-error an option of a later version
new TokenManager({ provider, credentials, store: {} })
// @ts-expect-error a number
new TokenManager({ provider, credentials, acquireTimeoutMs: '5000' })

// Credentials.
new TokenManager({
  provider,
  credentials: [
    credentials,
    fromDirectory('/etc/oauth', { clientId: 'id', clientSecret: 'secret' }),
    { clientId: 'app', clientSecret: fromFile('/run/secret'), label: 'a', optional: true },
    { clientId: fromEnv('ID'), clientSecret: async () => 'secret', label: undefined, optional: undefined },
    async () => [{ clientId: 'app', clientSecret: 'secret', label: undefined }],
    () => null,
    async () => ({ clientId: 'app', clientSecret: 'secret', expiresAt: '2027-01-31T00:00:00Z' }),
    { clientId: 'app', clientSecret: 'a', expiresAt: new Date(), persist: secretFile('/run/secret') },
    { clientId: 'app', clientSecret: 'a', expiresAt: 1_800_000_000_000, persist: async () => {} },
    { clientId: 'app', clientSecret: 'a', expiresAt: undefined, persist: undefined },
    {
      clientId: 'app',
      clientSecret: 'a',
      persist: envFile('.env', { clientId: 'ID', clientSecret: 'SECRET' }),
    },
    fromEnvFile('.env', { clientId: 'ID', clientSecret: 'SECRET' }),
    { clientId: fromEnvFile('.env', 'ID'), clientSecret: fromEnvFile('.env', 'SECRET'), persist: false },
    {
      clientId: 'app',
      clientSecret: fromEnv('SECRET'),
      persist: envFile('/etc/app.env', { clientId: undefined, clientSecret: 'SECRET' }),
    },
  ] as const,
})
const ids = { clientId: 'ID', clientSecret: 'SECRET' }
export const persist: PersistFunction = ({ credentialId, label, clientId, clientSecret }) => {
  same<Equal<typeof label, string | undefined>>()
  same<Equal<[typeof credentialId, typeof clientId, typeof clientSecret], [string, string, string]>>()
}
same<Equal<ReturnType<typeof envFile>['kind'], 'env-file' | 'secret-file'>>()
envFile('.env', { clientSecret: 'SECRET' })
// @ts-expect-error the secret's variable
envFile('.env', { clientId: 'ID' })
// @ts-expect-error both variables, or the name of one
fromEnvFile('.env', { clientSecret: 'SECRET' })
// @ts-expect-error a pair is no field
new TokenManager({ provider, credentials: { clientId: 'a', clientSecret: fromEnvFile('x', ids) } })
// @ts-expect-error one variable is one field
new TokenManager({ provider, credentials: fromEnvFile('.env', 'SECRET') })
// @ts-expect-error only false switches it off
new TokenManager({ provider, credentials: { clientId: 'a', clientSecret: 'b', persist: true } })
// @ts-expect-error a source is no sink
new TokenManager({ provider, credentials: { clientId: 'a', clientSecret: 'b', persist: fromFile('x') } })
// @ts-expect-error nor is a sink a source
new TokenManager({ provider, credentials: { clientId: 'a', clientSecret: secretFile('x') } })
// @ts-expect-error one variable is one field
new TokenManager({ provider, credentials: fromEnv('ID') })
// @ts-expect-error a pair is no field
new TokenManager({ provider, credentials: { clientId: credentials, clientSecret: 'secret' } })
// @ts-expect-error the secret is missing
new TokenManager({ provider, credentials: { clientId: 'app' } })
// @ts-expect-error a text is no credential
new TokenManager({ provider, credentials: async () => 'secret' })

// Members.
same<Equal<ReturnType<typeof tokens.getToken>, Promise<string>>>()
same<Equal<ReturnType<typeof tokens.ready>, Promise<void>>>()
same<Equal<ReturnType<typeof tokens.peek>, string | undefined>>()
same<Equal<ReturnType<typeof tokens.invalidate>, boolean>>()
same<Equal<ReturnType<typeof tokens.reload>, void>>()
same<Equal<ReturnType<typeof tokens.close>, Promise<void>>>()
same<Equal<ReturnType<(typeof tokens)[typeof Symbol.asyncDispose]>, Promise<void>>>()
same<Equal<ReturnType<typeof tokens.rotate>, Promise<Rotation>>>()
same<Equal<ReturnType<typeof tokens.rotation>, Rotation | undefined>>()
same<Equal<ReturnType<typeof tokens.prepareRotation>, Promise<Preparation>>>()
// @ts-expect-error a number
tokens.getToken({ minValidityMs: '1' })
// @ts-expect-error a signal
tokens.ready({ signal: {} })

// Rotations.
// @ts-expect-error a secret that is not there is no secret that is left out
export const nothing: RotateOptions = { clientSecret: undefined }
export const wish: RotateOptions = {
  clientId: undefined,
  label: undefined,
  expiresAt: undefined,
  rotationId: undefined,
  deadlineMs: undefined,
  verify: undefined,
  supersede: undefined,
  compromised: undefined,
  signal: undefined,
}
tokens.rotate()
tokens.rotate({ clientSecret: 'next', verify: { url: 'https://api.example/me' }, expiresAt: new Date() })
// @ts-expect-error a text
tokens.rotate({ clientSecret: fromEnv('NEXT') })
// @ts-expect-error the URL is missing
tokens.rotate({ verify: {} })
tokens.prepareRotation({ minRunwayMs: 1, signal: undefined })
export async function rotations(rotation: Rotation, preparation: Preparation) {
  same<Equal<typeof rotation.phase, 'staged' | 'overlap' | 'retired' | 'rolled-back' | 'failed'>>()
  if (rotation.phase === 'overlap') {
    same<Equal<typeof rotation.safeToRevokeAt, Date>>()
    same<Equal<typeof rotation.retireNotBeforeLocal, string>>()
    same<Equal<typeof rotation.previous.label, string | undefined>>()
  }
  if (rotation.phase === 'staged') same<Equal<typeof rotation.previous, null>>()
  if (rotation.phase === 'failed' && rotation.reason === 'ERR_NO_CUSTODY') return rotation.candidate.clientId
  // @ts-expect-error not in every phase
  rotation.retireNotBefore.getTime()
  // @ts-expect-error a snapshot stays as it is
  rotation.generation = 2
  same<Equal<ReturnType<typeof rotation.until>, Promise<Rotation>>>()
  await rotation.until('retired', { signal: undefined })
  // @ts-expect-error no such milestone
  await rotation.until('revoked')
  await rotation.rollback()
  await rotation.retireNow({ force: true })
  same<Equal<typeof preparation.safeUntil, Date>>()
  same<Equal<ReturnType<typeof preparation.cancel>, Promise<void>>>()
  same<Equal<typeof preparation.custody, 'kept' | 'untested' | 'none'>>()
  // @ts-expect-error nothing may be shared
  preparation.membersReady.join()
  for (const { code, since, sinceLocal, message } of rotation.waitingFor) {
    if (code === 'custody') return `${message} ${since.getTime()} ${sinceLocal}`
  }
  return preparation.membersNotReady?.join()
}

// Users' signatures and mocks.
export const fake: TokenSource = { getToken: async () => 'token', invalidate: () => true }
export const real: TokenSource = tokens
// @ts-expect-error the token is a string
export const wrongFake: TokenSource = { getToken: async () => 1, invalidate: () => true }

// Events.
tokens.on('token', (event) => {
  same<Equal<typeof event, RotorEvents['token']>>()
  same<Equal<typeof event.expiresAt, Date>>()
  same<Equal<typeof event.name, string | undefined>>()
  // @ts-expect-error no event holds the token
  event.token
})
tokens.once('token-retired', ({ reason }) =>
  same<Equal<typeof reason, 'replaced' | 'invalidated' | 'expired' | 'dropped'>>(),
)
tokens.on('refresh-failed', ({ error }) => {
  if (error.code !== 'ERR_CREDENTIAL_UNAVAILABLE') same<Equal<typeof error.status, number | undefined>>()
})
tokens.off('source', ({ change }) =>
  same<Equal<typeof change, 'changed' | 'emptied' | 'unreadable' | 'throttled'>>(),
)
tokens.on('rotation', ({ change, to, missing, safeToRevokeAtLocal }) => {
  if (change === 'overdue') same<Equal<typeof missing, Missing | undefined>>()
  same<Equal<typeof to, CredentialPhase>>()
  same<Equal<typeof safeToRevokeAtLocal, string | undefined>>()
})
tokens.on('persisted', ({ outcome }) => same<Equal<typeof outcome, 'done' | 'failed' | 'impossible'>>())
tokens.on('credential-expiring', ({ daysLeft }) => same<Equal<typeof daysLeft, 0 | 1 | 7 | 30>>())
tokens.on('thread-restarted', ({ seq }) => same<Equal<typeof seq, number>>())
same<
  Equal<
    keyof RotorEvents,
    | 'token'
    | 'token-retired'
    | 'credential-rejected'
    | 'refresh-failed'
    | 'invalidate-ignored'
    | 'source'
    | 'rotation'
    | 'persisted'
    | 'credential-expiring'
    | 'thread-restarted'
  >
>()
// @ts-expect-error no such event
tokens.on('tokens', () => {})

// Status and health.
const status = tokens.status()
same<Equal<typeof status.nextRefreshAt, Date | null>>()
if (status.token !== null) same<Equal<typeof status.token.expiresAtLocal, string>>()
for (const { state } of status.credentials) same<Equal<typeof state, 'unknown' | 'accepted' | 'rejected'>>()
same<Equal<typeof status.phase, CredentialPhase | null>>()
same<Equal<typeof status.rotation, RotationSnapshot | null>>()
for (const { expiresAt } of status.credentials) same<Equal<typeof expiresAt, Date | null>>()
// @ts-expect-error there may be none
status.token.serial
// @ts-expect-error a snapshot has no methods
status.rotation?.rollback()
same<Equal<ReturnType<typeof tokens.health>['reasons'], string[]>>()
same<Equal<ReturnType<typeof tokens.toJSON>['closed'], boolean>>()

// Errors.
export function explain(error: unknown): string {
  if (error instanceof InvalidOptionError) return error.problems.map(({ option }) => option).join()
  if (error instanceof RotorError) same<Equal<typeof error.retryable, boolean>>()
  if (!isRotorError(error)) return 'foreign'
  switch (error.code) {
    case 'ERR_TOKEN_UNAVAILABLE':
      same<Equal<typeof error, TokenUnavailableError>>()
      return error.cause?.code === 'ERR_CREDENTIAL_REJECTED'
        ? `${error.cause.oauthError}`
        : `${error.retryAfterMs}`
    case 'ERR_LIFETIME_TOO_SHORT':
      return error.lifetimeMs.toFixed()
    case 'ERR_RETIRE_BLOCKED':
      return `${error.missing.acks.length}`
    case 'ERR_NO_CANDIDATE':
      return error.lookedAt.join()
    case 'ERR_CANDIDATE_REJECTED':
    case 'ERR_CANDIDATE_UNVERIFIED':
    case 'ERR_NO_CUSTODY':
      return `${error.credentialId} ${error.rotationId}`
    case 'ERR_CREDENTIAL_REJECTED':
      same<Equal<typeof error, CredentialRejectedError>>()
      return `${error.status}`
    // @ts-expect-error no such code
    case 'ERR_NO_SUCH_CODE':
      return ''
    default:
      return error.message
  }
}
export const code: RotorErrorCode = 'ERR_CLOSED'
export const made = new TokenUnavailableError('none', {
  retryAfterMs: 1,
  cause: new CredentialRejectedError('no', { status: 403, retryable: true }),
})
// @ts-expect-error a cause of later versions
export const laterCode: RotorErrorCode = 'ERR_STORE_IDENTITY'
export const degraded = new TokenUnavailableError('none', { cause: new DegradedError('none is accepted') })

// Metrics.
same<Equal<ReturnType<typeof tokens.metrics>['refreshes']['success'], number>>()
export const stop: () => void = collectMetrics(tokens, {
  register: undefined,
  prefix: 'tokens_',
  name: undefined,
})
// @ts-expect-error a manager
collectMetrics({})
