import { TokenManager, fromEnv, genesysCloud } from '../..'
import type { TokenManagerOptions, TokenSource } from '../..'
import { createClock, fakeAuthorizationServer, fakePagerDuty, fakeTokens } from '../../lib/testing'
import type {
  Clock,
  FakeAlert,
  FakeAnswer,
  FakeAuthorizationServer,
  FakeChange,
  FakeClient,
  FakePagerDuty,
  FakePagerDutyOptions,
  FakePagerDutyRequest,
  FakeResourceRequest,
  FakeServerOptions,
  FakeTokenRequest,
  FakeTokens,
  FakeTokensCall,
} from '../../lib/testing'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<_Proof extends true>(): void {}

// The clock.
const clock: Clock = createClock({ now: new Date(0) })
createClock({ now: undefined })
same<Equal<ReturnType<typeof clock.now>, number>>()
same<Equal<ReturnType<typeof clock.sleep>, Promise<void>>>()
same<Equal<ReturnType<typeof clock.advance>, Promise<void>>>()
// @ts-expect-error a text is no instant
createClock({ now: '2026-01-01' })
// @ts-expect-error by how much?
clock.advance()
const options: TokenManagerOptions = {
  provider: genesysCloud({ host: 'http://127.0.0.1:4000' }),
  credentials: fromEnv('ID', 'SECRET'),
  clock,
}
new TokenManager(options)

// The server.
export const sparse: FakeServerOptions = {
  clock: undefined,
  clients: undefined,
  lifetimeMs: undefined,
  latencyMs: undefined,
  oldSecretGraceMs: undefined,
  newSecretPropagationMs: undefined,
  negativeCacheMs: undefined,
  tokensSurviveRotation: undefined,
  maxLiveTokens: undefined,
  idleTimeoutMs: undefined,
  rateLimit: undefined,
  dropResetResponse: undefined,
  clockSkewMs: undefined,
  expiresIn: undefined,
  tokenType: undefined,
  outage: undefined,
  wrongSecretStatus: undefined,
  scopes: undefined,
  auth: undefined,
  resourceStatus: undefined,
}
const client: FakeClient = { secrets: ['old', 'new'] as const, state: 'inactive', grantType: 'CODE' }
const starting = fakeAuthorizationServer({ clock, clients: { app: 'secret', other: ['a', 'b'], client } })
same<Equal<typeof starting, Promise<FakeAuthorizationServer>>>()
// @ts-expect-error a misspelt knob
fakeAuthorizationServer({ latency: 1 })
// @ts-expect-error no such state
fakeAuthorizationServer({ clients: { app: { state: 'on' } } })

export async function drive(server: FakeAuthorizationServer): Promise<void> {
  server.set({ outage: 503, rateLimit: { burst: 10, perMs: 60_000 }, maxLiveTokens: Infinity })
  server.set({ wrongSecretStatus: 401, scopes: ['read'] as const })
  // @ts-expect-error a status that is not known
  server.set({ wrongSecretStatus: 404 })
  server.set({ outage: 'html', rateLimit: null, resourceStatus: null })
  // @ts-expect-error the clock is for life
  server.set({ clock })
  const answer: FakeAnswer = {
    status: 429,
    headers: { 'Retry-After': '30' },
    body: { error: 'x' },
    delayMs: 1,
  }
  server.respond(
    answer,
    { destroy: true },
    () => undefined,
    async ({ presented }) => ({ body: presented }),
  )
  // @ts-expect-error a misspelt member
  server.respond({ statsu: 429 })
  server.revoke()
  server.revoke('token')
  same<Equal<ReturnType<typeof server.regenerateSecret>, string>>()
  server.setSecrets('app', ['one', 'other'])
  same<Equal<typeof server.requests, readonly FakeTokenRequest[]>>()
  same<Equal<typeof server.resourceRequests, readonly FakeResourceRequest[]>>()
  for (const { status } of server.requests) {
    same<Equal<typeof status, number | 'pending' | 'cut' | 'abandoned'>>()
  }
  genesysCloud({ host: server.url })
  await server.close()
  await server[Symbol.asyncDispose]()
}

// PagerDuty.
export const sparsePagerDuty: FakePagerDutyOptions = {
  clock: undefined,
  routingKeys: undefined,
  latencyMs: undefined,
  rateLimit: undefined,
  outage: undefined,
  dropResponse: undefined,
  maxBytes: undefined,
  tooLargeStatus: undefined,
}
same<Equal<ReturnType<typeof fakePagerDuty>, Promise<FakePagerDuty>>>()
fakePagerDuty({ clock, rateLimit: { burst: 120, perMs: 60_000 } })
// @ts-expect-error a misspelt knob
fakePagerDuty({ routingKey: 'a' })

export async function page(pagerDuty: FakePagerDuty): Promise<void> {
  pagerDuty.set({
    routingKeys: ['0123456789abcdef0123456789abcdef'] as const,
    outage: 'html',
    dropResponse: true,
  })
  pagerDuty.set({ routingKeys: null, rateLimit: null, outage: 503, maxBytes: 512_000, tooLargeStatus: 400 })
  // @ts-expect-error a status that is not known
  pagerDuty.set({ tooLargeStatus: 414 })
  // @ts-expect-error the clock is for life
  pagerDuty.set({ clock })
  pagerDuty.respond({ status: 500 }, { destroy: true }, ({ event }) => ({ body: event?.['dedup_key'] }))
  same<Equal<typeof pagerDuty.requests, readonly FakePagerDutyRequest[]>>()
  same<Equal<typeof pagerDuty.alerts, readonly FakeAlert[]>>()
  same<Equal<typeof pagerDuty.changes, readonly FakeChange[]>>()
  for (const { status } of pagerDuty.requests) {
    same<Equal<typeof status, number | 'pending' | 'cut' | 'abandoned'>>()
  }
  for (const { status, payload } of pagerDuty.alerts) {
    same<Equal<typeof status, 'triggered' | 'acknowledged' | 'resolved'>>()
    payload['summary'].toUpperCase()
  }
  await pagerDuty.close()
  await pagerDuty[Symbol.asyncDispose]()
}

// The tokens.
const fake: FakeTokens = fakeTokens({ token: 'mine', lifetimeMs: 1000, clock })
fakeTokens({ token: undefined, lifetimeMs: undefined, clock: undefined })
export const source: TokenSource = fake
same<Equal<ReturnType<typeof fake.advance>, Promise<void>>>()
fake.failNext()
fake.failNext(new Error('mine'))
// @ts-expect-error an error
fake.failNext('mine')
export function explain(call: FakeTokensCall): string {
  return call.method === 'invalidate'
    ? `${call.token} ${call.dropped}`
    : `${call.token} ${call.minValidityMs}`
}
