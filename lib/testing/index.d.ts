/**
 * oauth-rotor/testing: what tests need. Pure JavaScript; it never loads the native part.
 *
 * - {@link fakeTokens} for unit tests of code that takes a `TokenSource`,
 * - {@link fakeAuthorizationServer} for tests of managers, over real HTTP,
 * - {@link fakePagerDuty} for tests of code that sends events to PagerDuty,
 * - {@link createClock} for tests in which hours pass in an instant.
 *
 * All durations are whole milliseconds. Wrong options and arguments throw a `TypeError` that says
 * what is allowed.
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

// --------------------------------------------------------------------------------------- the clock

/** Options of {@link createClock}. */
export interface ClockOptions {
  /** The time at the start: a `Date`, or ms since 1970. Default: 2026-01-01T00:00Z. */
  now?: number | Date | undefined
}

/**
 * A clock that stands still until it is told to advance. Give the same clock to managers (option
 * `clock`), fake servers and fake tokens, so that they share one time.
 */
export interface Clock {
  /** Returns the time in ms since 1970, as `Date.now()` does. */
  now(): number

  /** Resolves when the clock has advanced by `millis` ms; at once for 0. */
  sleep(millis: number): Promise<void>

  /**
   * Advances by `millis` ms, from each event that is due to the next: refreshes, retries, timeouts,
   * readings of sources, responses of fake servers, `sleep`s. When it resolves, everything that was
   * due has happened, requests to servers in this process have been answered, and events have been
   * delivered. `advance(0)` runs what is due now. Advances run one after the other.
   *
   * It waits in real time for anything that does not follow this clock (a server without it, a
   * callback), until there was no progress for one second in total. Then the clock advances anyway.
   *
   * @throws {TypeError} At once, if `millis` is not a whole number from 0.
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

// --------------------------------------------------------------------------------- the fake server

/** The secrets of a client: one, or several that are accepted at the same time. */
export type FakeSecrets = string | readonly string[]

/** An OAuth client of the fake server. */
export interface FakeClient {
  /** The secrets that are accepted. Default: none. */
  secrets?: FakeSecrets | undefined
  /** `'inactive'` gets no new tokens; `'disabled'` also loses its tokens. Default `'active'`. */
  state?: 'active' | 'inactive' | 'disabled' | undefined
  /** Any but `'CLIENT-CREDENTIALS'`, the default, gets the error `unauthorized_client`. */
  grantType?: 'CLIENT-CREDENTIALS' | 'CODE' | 'TOKEN' | 'SAML2-BEARER' | 'PASSWORD' | undefined
}

/** The settings of a fake server, at its start and later. */
export interface FakeServerKnobs {
  /** The clients, by id. Default `{ app: 'secret' }`. */
  clients?: { readonly [clientId: string]: FakeSecrets | FakeClient } | undefined
  /** How long a token lives; `expires_in` is a second less. Default 86,400,000 (a day). From 1. */
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
  /** The most valid tokens of a client; one more revokes the oldest. Default `Infinity`. */
  maxLiveTokens?: number | undefined
  /** How long a token lives without a request to the API. Default `Infinity`. */
  idleTimeoutMs?: number | undefined
  /**
   * At most `burst` token requests in `perMs`. Others get a 400 with `invalid_request` and "rate
   * limit exceeded; …". Default null, no limit.
   */
  rateLimit?: { readonly burst: number; readonly perMs: number } | null | undefined
  /** Regenerating over HTTP changes the secret, then cuts the connection. Default false. */
  dropResetResponse?: boolean | undefined
  /** How far the `Date` header is ahead of the time, or behind it if negative. Default 0. */
  clockSkewMs?: number | undefined
  /** The form of `expires_in` in the response, or `'absent'`. Default `'number'`. */
  expiresIn?: 'number' | 'string' | 'absent' | undefined
  /** The `token_type`. Default `'bearer'`. */
  tokenType?: string | undefined
  /**
   * An outage of the token endpoint: `true` cuts connections, a number is the status of every
   * response (400 to 599), `'html'` is a 502 page. The API keeps working. Default false, no outage.
   */
  outage?: boolean | 'html' | number | undefined
  /**
   * How clients authenticate: `'basic-raw'` is HTTP Basic over the values as they are, `'basic'` is
   * HTTP Basic over form-encoded values, `'body'` is in the body. Default `'basic-raw'`, as at
   * Genesys Cloud.
   */
  auth?: 'basic-raw' | 'basic' | 'body' | 'any' | undefined
  /**
   * How a wrong client or secret is refused: 400 with `invalid_client`, as at Genesys Cloud; 401
   * with `invalid_client`, and with `WWW-Authenticate` if the client used HTTP Basic (RFC 6749
   * §5.2); 403 with nothing else. Default 400.
   */
  wrongSecretStatus?: 400 | 401 | 403 | undefined
  /**
   * The scopes that a request may ask for; any other gets a 400 with `invalid_scope`. The response
   * repeats the scope of the request. Default null, any.
   */
  scopes?: readonly string[] | null | undefined
  /** The status (400 to 599) of every response of the API. Default null, depending on the token. */
  resourceStatus?: number | null | undefined
}

/** Options of {@link fakeAuthorizationServer}. */
export interface FakeServerOptions extends FakeServerKnobs {
  /** The clock that it follows; it cannot be changed later. Default: real time. */
  clock?: Clock | undefined
}

/** A token request that a fake server got. */
export interface FakeTokenRequest {
  /** When the request arrived, in ms since 1970, in the server's time. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  readonly body: string
  readonly grantType: string | undefined
  /** The scope that was asked for. */
  readonly scope: string | undefined
  /** The client id, if the request has one. */
  readonly clientId: string | undefined
  /** The secret that was presented, in the clear: this is a server for tests. */
  readonly presented: string | undefined
  /**
   * Which of the client's secrets was presented, such as `'app/2'` for the second that it was ever
   * given. Undefined if the secret is unknown.
   */
  readonly secretId: string | undefined
  /** The status; `'cut'` if the connection was cut, `'abandoned'` if the caller went away. */
  readonly status: number | 'pending' | 'cut' | 'abandoned'
}

/** A request to the API of a fake server. */
export interface FakeResourceRequest {
  /** When the request arrived, in ms since 1970, in the server's time. */
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

/** A response that the test gives to one request. */
export interface FakeAnswer {
  /**
   * The status, 200 to 599. Without `status`, `headers` and `body`, the server answers by itself.
   */
  status?: number | undefined
  /** Headers in addition to `Content-Type: application/json` and `Date`, or in their place. */
  headers?: { readonly [name: string]: string } | undefined
  /** The body. A text or bytes are sent unchanged, anything else as JSON. */
  body?: unknown
  /** How long the response takes, in ms. Default: the knob `latencyMs`. */
  delayMs?: number | undefined
  /** Cuts the connection instead of answering. */
  destroy?: boolean | undefined
}

/**
 * An authorization server on 127.0.0.1 with the protocol of Genesys Cloud, and an API that accepts
 * its tokens.
 */
export interface FakeAuthorizationServer {
  /** The URL, such as `http://127.0.0.1:40123`; `genesysCloud({ host })` takes it. */
  readonly url: string
  /** The token endpoint, `<url>/oauth/token`. */
  readonly tokenUrl: string
  /** Every token request so far, in order of arrival. */
  readonly requests: readonly FakeTokenRequest[]
  /** Every request so far to the API: to all paths below `<url>/api/v2/`. */
  readonly resourceRequests: readonly FakeResourceRequest[]
  /** How many connections are open. */
  readonly connections: number

  /**
   * Changes knobs; those that are not given stay.
   *
   * @throws {TypeError} For an unknown knob or a wrong value; then no knob is changed.
   */
  set(knobs: FakeServerKnobs): void

  /**
   * Gives the next token requests these responses, one each, in this order.
   *
   * @example
   * server.respond({ status: 429, headers: { 'Retry-After': '30' } }, { destroy: true })
   */
  respond(
    ...answers: (
      FakeAnswer | ((request: FakeTokenRequest) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>)
    )[]
  ): void

  /** Revokes a token; without an argument, all tokens. */
  revoke(token?: string): void

  /**
   * Replaces a client's secret, as the Regenerate button or `POST
   * /api/v2/oauth/clients/{id}/secret` does. The knobs decide whether the old secret and the tokens
   * stay valid, and when the new secret is accepted.
   *
   * @returns The new secret.
   * @throws {TypeError} If there is no such client.
   */
  regenerateSecret(clientId: string): string

  /**
   * Accepts exactly these secrets from now on.
   *
   * @throws {TypeError} If there is no such client.
   */
  setSecrets(clientId: string, secrets: FakeSecrets): void

  /** Cuts all connections and closes the server. May be called again. */
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

// ------------------------------------------------------------------------------ the fake PagerDuty

/** The settings of a fake PagerDuty, at its start and later. */
export interface FakePagerDutyKnobs {
  /**
   * The integration keys that exist, 32 letters and digits each. Others are refused. Default null,
   * any.
   */
  routingKeys?: readonly string[] | null | undefined
  /** How long a request takes. Default 0. */
  latencyMs?: number | undefined
  /**
   * At most `burst` events of a routing key in `perMs`; others are refused with 429. PagerDuty
   * allows about 120 in 60,000. Refused events do not count, and changes count together with alerts
   * (both are guesses). Default null, no limit.
   */
  rateLimit?: { readonly burst: number; readonly perMs: number } | null | undefined
  /**
   * An outage of the whole service: `true` cuts connections, a number is the status of every
   * response (400 to 599), `'html'` is a 502 page. Meanwhile, no event is accepted. Default false,
   * no outage.
   */
  outage?: boolean | 'html' | number | undefined
  /** Cuts the connection instead of answering; events are still accepted. Default false. */
  dropResponse?: boolean | undefined
  /** The largest body, in bytes. PagerDuty says 512 KB. Default 524,288. From 1. */
  maxBytes?: number | undefined
  /** The status of the response to a larger body. Default 413 (a guess). */
  tooLargeStatus?: 400 | 413 | undefined
}

/** Options of {@link fakePagerDuty}. */
export interface FakePagerDutyOptions extends FakePagerDutyKnobs {
  /** The clock that it follows; it cannot be changed later. Default: real time. */
  clock?: Clock | undefined
}

/** Any request that a fake PagerDuty got. */
export interface FakePagerDutyRequest {
  /** When the request arrived, in ms since 1970, in the server's time. */
  readonly at: number
  readonly method: string
  readonly path: string
  /** The Events API takes no `authorization`: a token here went where it does not belong. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  readonly body: string
  /** The body, if it is a JSON object, accepted or not. */
  readonly event: { readonly [member: string]: any } | undefined
  /** The status; `'cut'` if the connection was cut, `'abandoned'` if the caller went away. */
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
  /** How many trigger events it stands for, from 1. */
  readonly triggers: number
  /** The `payload` of the latest trigger (a guess: PagerDuty may show the first one's). */
  readonly payload: { readonly [member: string]: any }
}

/** A change event that a fake PagerDuty accepted. */
export interface FakeChange {
  /** When it was accepted, in ms since 1970, in the server's time. */
  readonly at: number
  readonly routingKey: string
  readonly payload: { readonly [member: string]: any }
}

/**
 * The Events API v2 of PagerDuty on 127.0.0.1: `POST /v2/enqueue` and `POST /v2/change/enqueue`.
 */
export interface FakePagerDuty {
  /** The URL, such as `http://127.0.0.1:40123`. It stands for `https://events.pagerduty.com`. */
  readonly url: string
  /** Every request so far, in order of arrival. */
  readonly requests: readonly FakePagerDutyRequest[]
  /**
   * Every alert so far, in the order in which they were opened. Events with the same routing key
   * and `dedup_key` belong to one alert until it is resolved; the next trigger then opens another
   * one. An acknowledge or resolve without an open alert gets a 202, and does nothing.
   */
  readonly alerts: readonly FakeAlert[]
  /** Every change event that was accepted so far. */
  readonly changes: readonly FakeChange[]
  /** How many connections are open. */
  readonly connections: number

  /**
   * Changes knobs; those that are not given stay.
   *
   * @throws {TypeError} For an unknown knob or a wrong value; then no knob is changed.
   */
  set(knobs: FakePagerDutyKnobs): void

  /**
   * Gives the next requests these responses, one each, in this order. Their events are not
   * accepted.
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

  /** Cuts all connections and closes the server. May be called again. */
  close(): Promise<void>

  /** {@link FakePagerDuty.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a fake PagerDuty on a free port of 127.0.0.1. Its errors have PagerDuty's status codes,
 * and PagerDuty's messages if these are published; docs/testing.md says which are not.
 *
 * @throws {TypeError} By rejection, for an unknown option or a wrong value.
 *
 * @example
 * const pagerDuty = await fakePagerDuty()
 * const routing_key = '0123456789abcdef0123456789abcdef'
 * await sendEvent(`${pagerDuty.url}/v2/enqueue`, { routing_key, … })
 * expect(pagerDuty.alerts).toMatchObject([
 *   { status: 'triggered', payload: { severity: 'critical' } },
 * ])
 */
export function fakePagerDuty(options?: FakePagerDutyOptions): Promise<FakePagerDuty>

// --------------------------------------------------------------------------------- the fake tokens

/** Options of {@link fakeTokens}. */
export interface FakeTokensOptions {
  /** What the tokens begin with: `'<token>-1'`, `'<token>-2'`, … Default `'test-token'`. */
  token?: string | undefined
  /** How long each token lives. Default 3,600,000 (1 h). From 1. */
  lifetimeMs?: number | undefined
  /**
   * The clock that they follow. Default: their own, which begins at 0 and which `advance` moves.
   */
  clock?: Clock | undefined
}

/** A call of a {@link FakeTokens}, with its result. While it is pending, it has no result. */
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
      /** The returned value: whether this call dropped the token. */
      readonly dropped: boolean
    }

/** A `TokenSource` without a server and without the native part. */
export interface FakeTokens extends TokenSource {
  /**
   * Resolves with the current token, or with a new one if that has expired or was dropped by
   * `invalidate`. Rejects as a manager does: with the error of `failNext`,
   * `ERR_LIFETIME_TOO_SHORT`, `ERR_INVALID_ARGUMENT`, or `signal.reason`.
   */
  getToken(options?: GetTokenOptions): Promise<string>
  /** Drops the token if it is the current one, and returns whether it was. */
  invalidate(token: string): boolean
  /** Advances the time: the given clock's, or their own, which takes effect at once. */
  advance(millis: number): Promise<void>
  /**
   * Makes the next call of `getToken` reject. Calls add up.
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
