/**
 * oauth-rotor/testing: what tests need. Pure JavaScript; it never loads the native part.
 *
 * - {@link fakeTokens} for unit tests of code that takes a `TokenSource`,
 * - {@link fakeAuthorizationServer} for tests of managers, over real HTTP,
 * - {@link fakePagerDuty} for tests of code that sends events to PagerDuty,
 * - {@link createClock} for tests in which hours pass in an instant.
 *
 * All durations are whole milliseconds. Wrong options and arguments throw a `TypeError` that says
 * what is right.
 *
 * @example
 * import { TokenManager, genesysCloud } from 'oauth-rotor'
 * import { createClock, fakeAuthorizationServer } from 'oauth-rotor/testing'
 *
 * const clock = createClock()
 * const server = await fakeAuthorizationServer({ clock, lifetimeMs: 3_600_000 })
 * const tokens = new TokenManager({
 *   provider: genesysCloud({ host: server.url }),
 *   credentials: { clientId: 'app', clientSecret: 'secret' },
 *   clock,
 * })
 * await tokens.ready()
 * await clock.advance(24 * 3_600_000) // a day of refreshes
 */
import type { GetTokenOptions, TokenSource } from '../../index'

// ----------------------------------------------------------------------------------------- the clock

/** Options of {@link createClock}. */
export interface ClockOptions {
  /** What it shows at first: a `Date`, or ms since 1970. Default: 2026-01-01T00:00Z. */
  now?: number | Date | undefined
}

/**
 * A clock that stands still until it is told to advance. Give the same one to managers (option
 * `clock`), fake servers and fake tokens: they live in one time then.
 */
export interface Clock {
  /** What it shows, in ms since 1970, as `Date.now()` has it. */
  now(): number

  /** Resolves when it has advanced by so many ms; at once for 0. */
  sleep(millis: number): Promise<void>

  /**
   * Moves on by so many ms, from one thing that is due to the next, in order: refreshes, retries,
   * timeouts, readings of sources, answers of fake servers, `sleep`s. When it resolves, everything
   * that was due has happened, requests to servers in this process are answered, and events are
   * delivered. `advance(0)` lets happen what is due now. Advances run one after the other.
   *
   * What does not follow this clock (a server without it, a callback) is waited for in real time,
   * for a second in vain in all; then the clock moves on without it.
   *
   * @throws {TypeError} At once, when `millis` is not a whole number from 0.
   */
  advance(millis: number): Promise<void>
}

/**
 * Makes a clock for tests.
 *
 * @example
 * const clock = createClock({ now: new Date('2026-11-23T19:28:00Z') })
 */
export function createClock(options?: ClockOptions): Clock

// ------------------------------------------------------------------------------------ the fake server

/** The secrets of a client: one, or several that are accepted at the same time. */
export type FakeSecrets = string | readonly string[]

/** An OAuth client of the fake server. */
export interface FakeClient {
  /** The secrets that are accepted. Default: none. */
  secrets?: FakeSecrets | undefined
  /** `'inactive'` gets no new tokens; `'disabled'` loses those it has, too. Default `'active'`. */
  state?: 'active' | 'inactive' | 'disabled' | undefined
  /** Anything but `'CLIENT-CREDENTIALS'`, the default, is answered with `unauthorized_client`. */
  grantType?: 'CLIENT-CREDENTIALS' | 'CODE' | 'TOKEN' | 'SAML2-BEARER' | 'PASSWORD' | undefined
}

/** What can be set about a fake server, at its start and later. */
export interface FakeServerKnobs {
  /** The clients, by id. Default `{ app: 'secret' }`. */
  clients?: { readonly [clientId: string]: FakeSecrets | FakeClient } | undefined
  /** How long a token lives; `expires_in` says a second less. From 1. Default 86,400,000 (a day). */
  lifetimeMs?: number | undefined
  /** How long a token request takes. Default 0. */
  latencyMs?: number | undefined
  /** How long a replaced secret is accepted after `regenerateSecret()`. Default 0. */
  oldSecretGraceMs?: number | undefined
  /** How long a regenerated secret is not accepted yet. Default 0. */
  newSecretPropagationMs?: number | undefined
  /** How long a regenerated secret that was tried too early stays refused. Default 0. */
  negativeCacheMs?: number | undefined
  /** Whether tokens stay valid when the secret that made them is replaced. Default true. */
  tokensSurviveRotation?: boolean | undefined
  /** How many tokens a client has at most; one more ends the oldest. Default `Infinity`. */
  maxLiveTokens?: number | undefined
  /** A token that the API has not seen for so long ends. Default `Infinity`. */
  idleTimeoutMs?: number | undefined
  /**
   * At most `burst` token requests in `perMs`; others are answered 400 `invalid_request`, "rate limit
   * exceeded; …". Default null, no limit.
   */
  rateLimit?: { readonly burst: number; readonly perMs: number } | null | undefined
  /** Regenerating over HTTP changes the secret, and cuts the connection. Default false. */
  dropResetResponse?: boolean | undefined
  /** How far the `Date` header is ahead of the time; behind it when negative. Default 0. */
  clockSkewMs?: number | undefined
  /** In what form `expires_in` comes, if at all. Default `'number'`. */
  expiresIn?: 'number' | 'string' | 'absent' | undefined
  /** The `token_type`. Default `'bearer'`. */
  tokenType?: string | undefined
  /**
   * What is wrong with the token endpoint: `true` cuts connections, a number is the status of every
   * answer (400 to 599), `'html'` is a 502 page. The API goes on. Default false, nothing.
   */
  outage?: boolean | 'html' | number | undefined
  /**
   * How clients authenticate: HTTP Basic over the values as they are, HTTP Basic over form-encoded
   * ones, or in the body. Default `'basic-raw'`, as Genesys Cloud has it.
   */
  auth?: 'basic-raw' | 'basic' | 'body' | 'any' | undefined
  /**
   * How a wrong client or secret is refused: 400 with `invalid_client`, as Genesys Cloud does; 401 with
   * `invalid_client`, and with `WWW-Authenticate` where the client used HTTP Basic (RFC 6749 §5.2); 403 with
   * nothing else. Default 400.
   */
  wrongSecretStatus?: 400 | 401 | 403 | undefined
  /**
   * The scopes that may be asked for; another one is answered 400 `invalid_scope`. What was asked for is repeated
   * in the answer. Default null, any.
   */
  scopes?: readonly string[] | null | undefined
  /** The status (400 to 599) of every answer of the API. Default null, as the token deserves. */
  resourceStatus?: number | null | undefined
}

/** Options of {@link fakeAuthorizationServer}. */
export interface FakeServerOptions extends FakeServerKnobs {
  /** The time it lives in, for good. Default: the real one. */
  clock?: Clock | undefined
}

/** A token request that a fake server got. */
export interface FakeTokenRequest {
  /** When it came, in ms since 1970, in the server's time. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  readonly body: string
  readonly grantType: string | undefined
  /** The scope that was asked for. */
  readonly scope: string | undefined
  /** Who asked, as far as the request tells. */
  readonly clientId: string | undefined
  /** The secret that was presented, in the clear: this is a server for tests. */
  readonly presented: string | undefined
  /**
   * Which of the client's secrets that is, such as `'app/2'` for the second that it was ever given;
   * undefined for an unknown one.
   */
  readonly secretId: string | undefined
  /** The status of the answer, `'cut'` where the connection was, `'abandoned'` when the caller left. */
  readonly status: number | 'pending' | 'cut' | 'abandoned'
}

/** A request to the API of a fake server. */
export interface FakeResourceRequest {
  /** When it came, in ms since 1970, in the server's time. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  /** The token that was presented. */
  readonly token: string | undefined
  /** The client that a valid token was issued to. */
  readonly clientId: string | undefined
  readonly status: number | 'cut'
}

/** An answer of the test's own, for one request. */
export interface FakeAnswer {
  /** 200 to 599. Without it, and without `headers` and `body`, the server answers by itself. */
  status?: number | undefined
  /** Besides, or instead of, `Content-Type: application/json` and `Date`. */
  headers?: { readonly [name: string]: string } | undefined
  /** A text or bytes as they are, anything else as JSON. */
  body?: unknown
  /** How long it takes. Default: the knob `latencyMs`. */
  delayMs?: number | undefined
  /** Cuts the connection instead of answering. */
  destroy?: boolean | undefined
}

/**
 * An authorization server on 127.0.0.1 with the wire of Genesys Cloud, and an API that takes its
 * tokens.
 */
export interface FakeAuthorizationServer {
  /** Such as `http://127.0.0.1:40123`; `genesysCloud({ host })` takes it. */
  readonly url: string
  /** The token endpoint, `<url>/oauth/token`. */
  readonly tokenUrl: string
  /** Every token request so far, in the order in which they came. */
  readonly requests: readonly FakeTokenRequest[]
  /** Every request so far to the API, which is all below `<url>/api/v2/`. */
  readonly resourceRequests: readonly FakeResourceRequest[]
  /** How many connections are open. */
  readonly connections: number

  /**
   * Changes knobs; those that are not given stay.
   *
   * @throws {TypeError} For an unknown knob or a wrong value; none is changed then.
   */
  set(knobs: FakeServerKnobs): void

  /**
   * Answers the next token requests in the test's own way, one each, in this order.
   *
   * @example
   * server.respond({ status: 429, headers: { 'Retry-After': '30' } }, { destroy: true })
   */
  respond(
    ...answers: (
      FakeAnswer | ((request: FakeTokenRequest) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>)
    )[]
  ): void

  /** Ends a token; without one, all of them. */
  revoke(token?: string): void

  /**
   * Replaces a client's secret, as a press on Regenerate does and `POST
   * /api/v2/oauth/clients/{id}/secret`: what of the old one, of the tokens and when the new one is
   * accepted is up to the knobs.
   *
   * @returns The new secret.
   * @throws {TypeError} When there is no such client.
   */
  regenerateSecret(clientId: string): string

  /**
   * Has exactly these secrets accepted from now on.
   *
   * @throws {TypeError} When there is no such client.
   */
  setSecrets(clientId: string, secrets: FakeSecrets): void

  /** Cuts all connections and ends. May be called again. */
  close(): Promise<void>

  /** {@link FakeAuthorizationServer.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a server on a free port of 127.0.0.1.
 *
 * @throws {TypeError} By rejection, for an unknown option or a wrong value.
 *
 * @example
 * const server = await fakeAuthorizationServer({ lifetimeMs: 300_000 })
 * const provider = genesysCloud({ host: server.url })
 */
export function fakeAuthorizationServer(options?: FakeServerOptions): Promise<FakeAuthorizationServer>

// ------------------------------------------------------------------------------------- the fake PagerDuty

/** What can be set about a fake PagerDuty, at its start and later. */
export interface FakePagerDutyKnobs {
  /** The integration keys that exist, 32 letters and digits each. Others are refused. Default null, any. */
  routingKeys?: readonly string[] | null | undefined
  /** How long a request takes. Default 0. */
  latencyMs?: number | undefined
  /**
   * At most `burst` events of a routing key in `perMs`; others are refused with 429. PagerDuty allows about
   * 120 in 60,000. What was refused does not count, and changes count with alerts (both a guess). Default
   * null, no limit.
   */
  rateLimit?: { readonly burst: number; readonly perMs: number } | null | undefined
  /**
   * What is wrong with all of it: `true` cuts connections, a number is the status of every answer (400 to
   * 599), `'html'` is a 502 page. No event is taken then. Default false, nothing.
   */
  outage?: boolean | 'html' | number | undefined
  /** Cuts the connection instead of answering; events are taken all the same. Default false. */
  dropResponse?: boolean | undefined
  /** The largest body, in bytes. PagerDuty says 512 KB. From 1. Default 524,288. */
  maxBytes?: number | undefined
  /** The status of the answer to a larger one. Default 413 (a guess). */
  tooLargeStatus?: 400 | 413 | undefined
}

/** Options of {@link fakePagerDuty}. */
export interface FakePagerDutyOptions extends FakePagerDutyKnobs {
  /** The time it lives in, for good. Default: the real one. */
  clock?: Clock | undefined
}

/** A request that a fake PagerDuty got, whatever it was. */
export interface FakePagerDutyRequest {
  /** When it came, in ms since 1970, in the server's time. */
  readonly at: number
  readonly method: string
  readonly path: string
  /** The Events API takes no `authorization`: a token here went where it does not belong. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  readonly body: string
  /** The body where it is a JSON object, accepted or not. */
  readonly event: { readonly [member: string]: any } | undefined
  /** The status of the answer, `'cut'` where the connection was, `'abandoned'` when the caller left. */
  readonly status: number | 'pending' | 'cut' | 'abandoned'
}

/** An alert of a fake PagerDuty. */
export interface FakeAlert {
  /** When it was opened, in ms since 1970, in the server's time. */
  readonly at: number
  /** The key that was sent, or a generated one of 32 hexadecimal digits. */
  readonly dedupKey: string
  readonly routingKey: string
  /** An acknowledged alert stays so when it is triggered again. */
  readonly status: 'triggered' | 'acknowledged' | 'resolved'
  /** How many trigger events it stands for. From 1. */
  readonly triggers: number
  /** The `payload` of the latest trigger (a guess: PagerDuty may show the first one's). */
  readonly payload: { readonly [member: string]: any }
}

/** A change event that a fake PagerDuty took. */
export interface FakeChange {
  /** When it was taken, in ms since 1970, in the server's time. */
  readonly at: number
  readonly routingKey: string
  readonly payload: { readonly [member: string]: any }
}

/** The Events API v2 of PagerDuty on 127.0.0.1: `POST /v2/enqueue` and `POST /v2/change/enqueue`. */
export interface FakePagerDuty {
  /** Such as `http://127.0.0.1:40123`; it stands for `https://events.pagerduty.com`. */
  readonly url: string
  /** Every request so far, in the order in which they came. */
  readonly requests: readonly FakePagerDutyRequest[]
  /**
   * Every alert so far, in the order in which they were opened. Events with the same routing key and
   * `dedup_key` are about one alert until it is resolved; the next trigger opens another one. An
   * acknowledge or resolve for no open alert gets its 202, and nothing happens.
   */
  readonly alerts: readonly FakeAlert[]
  /** Every change event that was taken so far. */
  readonly changes: readonly FakeChange[]
  /** How many connections are open. */
  readonly connections: number

  /**
   * Changes knobs; those that are not given stay.
   *
   * @throws {TypeError} For an unknown knob or a wrong value; none is changed then.
   */
  set(knobs: FakePagerDutyKnobs): void

  /**
   * Answers the next requests in the test's own way, one each, in this order. No event is taken then.
   *
   * @example
   * pagerDuty.respond({ status: 500 }, { destroy: true })
   */
  respond(
    ...answers: (
      | FakeAnswer
      | ((request: FakePagerDutyRequest) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>)
    )[]
  ): void

  /** Cuts all connections and ends. May be called again. */
  close(): Promise<void>

  /** {@link FakePagerDuty.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a fake PagerDuty on a free port of 127.0.0.1. It refuses with PagerDuty's status codes, and in
 * PagerDuty's words where these are published; docs/testing.md says where they are not.
 *
 * @throws {TypeError} By rejection, for an unknown option or a wrong value.
 *
 * @example
 * const pagerDuty = await fakePagerDuty()
 * await sendEvent(`${pagerDuty.url}/v2/enqueue`, { routing_key: '0123456789abcdef0123456789abcdef', … })
 * expect(pagerDuty.alerts).toMatchObject([{ status: 'triggered', payload: { severity: 'critical' } }])
 */
export function fakePagerDuty(options?: FakePagerDutyOptions): Promise<FakePagerDuty>

// ------------------------------------------------------------------------------------- the fake tokens

/** Options of {@link fakeTokens}. */
export interface FakeTokensOptions {
  /** What the tokens begin with: `'<token>-1'`, `'<token>-2'`, … Default `'test-token'`. */
  token?: string | undefined
  /** How long each lives. From 1. Default 3,600,000 (1 h). */
  lifetimeMs?: number | undefined
  /** The time they live in. Default: one of their own, which begins at 0 and which `advance` moves. */
  clock?: Clock | undefined
}

/** A call of a {@link FakeTokens}, with its result; without one while it is pending. */
export type FakeTokensCall =
  | {
      readonly at: number
      readonly method: 'getToken'
      readonly minValidityMs: number
      readonly token?: string
      readonly error?: unknown
    }
  | {
      readonly at: number
      readonly method: 'invalidate'
      readonly token: string
      /** What it returned. */
      readonly dropped: boolean
    }

/** A `TokenSource` without a server and without the native part. */
export interface FakeTokens extends TokenSource {
  /**
   * The current token: another one after each end of life and after `invalidate`. Rejects as a
   * manager does: with what `failNext` has said, `ERR_LIFETIME_TOO_SHORT`, `ERR_INVALID_ARGUMENT`, or
   * `signal.reason`.
   */
  getToken(options?: GetTokenOptions): Promise<string>
  /** Drops the token if it is the current one, and tells whether it was. */
  invalidate(token: string): boolean
  /** Moves the time on; the clock's, where there is one. Without one it takes effect at once. */
  advance(millis: number): Promise<void>
  /**
   * Has the next call of `getToken` reject. Calls add up.
   *
   * @param error Default: a `TokenUnavailableError` with `retryAfterMs: 1000` whose `cause` is an
   * `EndpointError`.
   */
  failNext(error?: Error): void
  /** Every call so far, in order. */
  readonly history: readonly FakeTokensCall[]
}

/**
 * Tokens for unit tests of code that takes a `TokenSource`.
 *
 * @example
 * const tokens = fakeTokens()
 * await sendWebhook(tokens, payload)
 * expect(tokens.history).toMatchObject([{ method: 'getToken', token: 'test-token-1' }])
 */
export function fakeTokens(options?: FakeTokensOptions): FakeTokens
