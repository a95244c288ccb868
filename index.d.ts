/**
 * oauth-rotor: an OAuth 2.0 client-credentials token (RFC 6749 §4.4) that is always available.
 *
 * A native thread fetches the token before anybody waits for it, and refreshes it before it
 * expires, even while the event loop is blocked. All durations are whole milliseconds; all instants
 * are `Date`s, each with its local text.
 *
 * @example
 * import { TokenManager, genesysCloud, fromEnv } from 'oauth-rotor'
 *
 * const tokens = new TokenManager({
 *   provider: genesysCloud({ region: 'sa_east_1' }),
 *   credentials: fromEnv('GC_CLIENT_ID', 'GC_CLIENT_SECRET'),
 *   timeZone: 'America/Sao_Paulo',
 * })
 * const token = await tokens.getToken()
 */

import type { Clock } from './lib/testing'

// Without this line a declaration file exports everything that it declares.
export {}

declare global {
  // The same as in lib.esnext.disposable, for projects with an older `lib`.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
}

// ------------------------------------------------------------------------------------- the manager

/**
 * What code needs that only uses tokens: use this type in your signatures. `fakeTokens()` of
 * `oauth-rotor/testing` implements it too, and so can mocks of your own.
 *
 * @example
 * function createApi(tokens: TokenSource) { … }
 * const fake: TokenSource = { getToken: async () => 'test-token', invalidate: () => true }
 */
export interface TokenSource {
  /** See {@link TokenManager.getToken}. */
  getToken(options?: GetTokenOptions): Promise<string>
  /** See {@link TokenManager.invalidate}. */
  invalidate(token: string): boolean
}

/**
 * Holds one token and keeps it valid.
 *
 * An idle manager never keeps the process alive; a pending call does, for example `getToken()` or
 * the `until()` of a rotation. Managers with the same `name` share one token across all worker
 * threads of the process. Without a name, nothing is shared.
 *
 * A manager that nothing refers to any longer is closed when it is garbage-collected, but not while
 * a call waits on it or a listener is attached.
 *
 * The methods need their `this`: pass on `() => tokens.getToken()`, not `tokens.getToken`.
 */
export class TokenManager implements TokenSource {
  /**
   * Checks all options at once and starts to fetch in the background. Before it returns, it reads
   * environment variables, and checks that the directory of a file that `persist` names exists. It
   * reads nothing else from files, and nothing from the network.
   *
   * @throws {InvalidOptionError} `ERR_INVALID_OPTION` with every problem in its message and in
   * `problems`.
   * @throws {OptionsConflictError} `ERR_OPTIONS_CONFLICT` when a manager of this name is open with
   * other options.
   * @throws {NativeUnavailableError} `ERR_NATIVE_UNAVAILABLE` when there is no native part of this
   * version for this platform.
   */
  constructor(options: TokenManagerOptions)

  /**
   * Resolves when the first token is held. Calling it is optional, since `getToken()` waits by
   * itself. It may be called again. While it waits, it keeps the process alive.
   *
   * Rejects at once
   * - with `ERR_TOKEN_UNAVAILABLE`, and the reason as `cause`, when every credential is rejected or
   *   the request is misconfigured,
   * - with `ERR_CREDENTIAL_UNAVAILABLE` when a required source cannot be read.
   *
   * Otherwise rejects with `ERR_TOKEN_UNAVAILABLE` after `timeoutMs`, while the fetch continues.
   * With a `signal` and no `timeoutMs` it waits until the signal is aborted, and rejects with
   * `signal.reason`. Also rejects with `ERR_INVALID_ARGUMENT` and `ERR_CLOSED`.
   *
   * @example
   * await tokens.ready({ timeoutMs: 30_000 })
   * server.listen(8080)
   */
  ready(options?: ReadyOptions): Promise<void>

  /**
   * Returns a valid access token. While one is held, this costs no more than a promise. Otherwise
   * it waits for the fetch, at most `acquireTimeoutMs`. An abort ends only this caller's wait,
   * never the fetch that others wait for.
   *
   * Never throws; rejects with
   * - `ERR_TOKEN_UNAVAILABLE` when no token arrives in time; `cause` says why, and `retryAfterMs`
   *   when to ask again,
   * - `ERR_LIFETIME_TOO_SHORT` when even a fresh token lives shorter than `minValidityMs`,
   * - `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`, or `signal.reason` (an aborted signal wins over a held
   *   token).
   *
   * @example
   * const authorization = `Bearer ${await tokens.getToken()}`
   * const response = await fetch(url, { headers: { authorization } })
   */
  getToken(options?: GetTokenOptions): Promise<string>

  /** Returns the token that is held now, or undefined. Never waits and never fetches. */
  peek(): string | undefined

  /**
   * Reports that a resource answered 401 to this token (RFC 6750 §3.1). If it is the held token, it
   * is dropped and another one is fetched. A late 401 to an older token does nothing.
   *
   * Dropping is limited, because a resource that answers 401 for reasons of its own must not cause
   * a storm of token requests. The limit is the smaller of 10 s and 10 % of the token's life. A
   * report for a token younger than this limit, within the limit after the last report that
   * counted, keeps the token and raises `invalidate-ignored` (at most once a second).
   *
   * @returns Whether this call dropped the token. Also false when another call has already reported
   * it: repeat the request once, whatever this returns.
   * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` when `token` is not a string.
   *
   * @example
   * if (response.status === 401) {
   *   tokens.invalidate(token)
   *   return retry(await tokens.getToken())
   * }
   */
  invalidate(token: string): boolean

  /**
   * Makes another credential the active one, without a failed request. The new credential is proved
   * with a real token request, and promoted together with its token in one step. The credential
   * that was active stays a fallback for `overlapMs`. The promise resolves once the new credential
   * is promoted, after the events of the promotion. It resolves to a rotation, whose `until()`
   * waits for more.
   *
   * Without `clientSecret` it reads the sources again and takes the first configured credential
   * that is neither active nor previous nor retired; while a rotation is open, it joins that one.
   * If you name the active credential, it resolves at once; if you name the previous one, it rolls
   * back. Before the first token, the named credential is tried first.
   *
   * A proved secret is not lost when `persist` fails: it takes over as soon as the active one is
   * rejected, and is written when `persist` works again.
   *
   * A wrong secret changes nothing: it is given up after 3 rejections over at least 5 s, counted
   * from the end of the provider's `propagationMs`. Answers that say nothing about the secret (too
   * many requests, an outage) do not count; the request is repeated. `getToken()` keeps working all
   * the time.
   *
   * Never throws; rejects with
   * - `ERR_CANDIDATE_REJECTED` when the endpoint or `verify` does not accept the new credential, or
   *   grants it less scope,
   * - `ERR_CANDIDATE_UNVERIFIED` when nothing proved it within 10 minutes, or it was withdrawn,
   * - `ERR_ROTATION_CONFLICT` when another rotation is open (unless `supersede`) or took this one's
   *   place,
   * - `ERR_RETIRE_BLOCKED` when it cannot supersede yet, or could not in time,
   * - `ERR_NO_CANDIDATE` when no configured credential can be taken,
   * - `ERR_NO_CUSTODY` when it was proved, but no `persist` could keep it within 10 minutes, and
   *   the active credential still works; the new one stays a fallback in memory,
   * - `ERR_ROTATION_TIMEOUT` after `deadlineMs`, or `signal.reason`: both end only this caller's
   *   wait. The rotation continues while another caller waits or a source yields the credential.
   *   `cause` says what it waits for,
   * - `ERR_INVALID_ARGUMENT`, before anything has happened, and `ERR_CLOSED`.
   *
   * @example
   * const rotation = await tokens.rotate({ clientSecret: await vault.read('next-secret') })
   * await rotation.until('retired')
   * console.log(`The old secret may be revoked from ${rotation.safeToRevokeAtLocal} on.`)
   */
  rotate(options?: RotateOptions): Promise<Rotation>

  /**
   * Returns the latest rotation as it is now. Undefined if there was none, and after `close()`. No
   * I/O.
   */
  rotation(): Rotation | undefined

  /**
   * Prepares for a provider that allows one secret at a time: fetches a fresh token, and then
   * nobody presents the active secret, so that a person can replace it. Until `safeUntil` the token
   * bridges the change. May be called again.
   *
   * The preparation ends when a new credential is proved, by `cancel()`, when the token is dropped,
   * after 15 minutes, and when the token's soft window begins. Then the active secret is used
   * again.
   *
   * Never throws; rejects with
   * - `ERR_TOKEN_UNAVAILABLE` when no fresh token can be fetched,
   * - `ERR_LIFETIME_TOO_SHORT` when it lives shorter than `minRunwayMs`,
   * - `ERR_ROTATION_CONFLICT` while a rotation is open,
   * - `ERR_DEGRADED` while no known credential is accepted,
   * - `ERR_ROTATION_TIMEOUT` after 5 minutes,
   * - `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`, and `signal.reason`.
   *
   * @example
   * const preparation = await tokens.prepareRotation({ minRunwayMs: 10 * 60_000 })
   * console.log(`Press Regenerate before ${preparation.safeUntilLocal}.`)
   * await tokens.rotate({ clientSecret: await ask('The new secret?') })
   */
  prepareRotation(options?: PrepareRotationOptions): Promise<Preparation>

  /**
   * Returns the headers for a signed request: `Authorization` with a token, and those of
   * `signer.sign(body)`, made when the token is there.
   *
   * Never throws; rejects as {@link getToken} and {@link WebhookSigner.sign} do.
   *
   * @example
   * const headers = await tokens.authHeaders(body, { signer, id: event.id })
   * await fetch(url, { method: 'POST', body, headers })
   */
  authHeaders(body: WebhookBody, options: AuthHeadersOptions): Promise<Record<string, string>>

  /**
   * Reads all sources of credentials again now, instead of after `sourcePollMs`. The event `source`
   * reports what they yield. After `close()` it does nothing.
   */
  reload(): void

  /** Returns what is known now, for people and logs. No I/O. Holds no token and no secret. */
  status(): TokenManagerStatus

  /**
   * Returns whether the manager works, for probes and alerts. No I/O. `live` is for a liveness
   * probe, `ready` for a readiness probe, and `problems` for alerts: they also announce tomorrow's
   * outage.
   */
  health(): TokenManagerHealth

  /**
   * Returns the counts since the manager was opened, for monitoring. No I/O. Managers of one name
   * count together. After `close()` it returns the last counts. `oauth-rotor/prometheus` turns them
   * into metrics of prom-client.
   */
  metrics(): TokenManagerMetrics

  /**
   * Calls `listener` on every event of this name. If a listener throws, the others still get the
   * event. What it throws becomes an uncaught exception; the rejection of an asynchronous listener
   * becomes an unhandled rejection. A manager is no `EventEmitter`: `events.once()` does not take
   * it.
   *
   * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` when there is no such event or `listener`
   * is not a function; so do `once` and `off`.
   */
  on<Name extends keyof RotorEvents>(event: Name, listener: (payload: RotorEvents[Name]) => void): this
  /** Calls `listener` on the next event of this name. */
  once<Name extends keyof RotorEvents>(event: Name, listener: (payload: RotorEvents[Name]) => void): this
  /** Stops calling `listener`. */
  off<Name extends keyof RotorEvents>(event: Name, listener: (payload: RotorEvents[Name]) => void): this

  /**
   * Closes this manager within 1 s. Pending and later calls reject with `ERR_CLOSED`, and there are
   * no further events. The last manager of a name ends the refreshes. May be called again.
   */
  close(): Promise<void>

  /** {@link TokenManager.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>

  /** Returns what loggers and `console.log` show. Holds no token and no secret. */
  toJSON(): TokenManagerHealth & { name: string | undefined; closed: boolean }
}

/** Options of {@link TokenManager.ready}. */
export interface ReadyOptions {
  /**
   * How long to wait, in ms. Default `acquireTimeoutMs`; with a `signal`, until that is aborted. 1
   * to 3,600,000.
   */
  timeoutMs?: number | undefined
  /** Ends the wait; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** Options of {@link TokenManager.getToken}. */
export interface GetTokenOptions {
  /**
   * How long the token must still be valid, in ms. Default: as long as the held token is, above
   * `expiryMarginMs`. A number from 0.
   */
  minValidityMs?: number | undefined
  /** Ends the wait; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** Options of {@link TokenManager.rotate}. An unknown key is an error. */
export interface RotateOptions {
  /**
   * The new secret. If it is left out, a configured candidate is taken. `undefined` (a misspelt
   * variable) is an error.
   */
  clientSecret?: string
  /**
   * Its client id, for a change to another client (blue/green). Default: the active credential's.
   */
  clientId?: string | undefined
  /** A name for people, in events and `status()`. 1 to 128 characters. Default: none. */
  label?: string | undefined
  /** When the new secret expires at the provider. See {@link Credential.expiresAt}. */
  expiresAt?: Instant | undefined
  /**
   * Names this rotation. Callers that give the same id, at the same time or one after the other,
   * get the same rotation, while it is open and as long as its credential is active. Events show
   * it. Default: `r-` and the credential's id, so that every instance can be told the same secret.
   * 1 to 128 characters.
   */
  rotationId?: string | undefined
  /**
   * How long this call waits, in ms; then it rejects with `ERR_ROTATION_TIMEOUT`. Default 300,000
   * (5 min). 1,000 to 3,600,000.
   */
  deadlineMs?: number | undefined
  /**
   * A request that has to succeed with the new token before it is promoted: a GET with the token as
   * Bearer. 2xx proves the credential, 401 and 403 reject it. After any other answer, even a
   * redirect, the request is repeated. A credential that was rejected has to pass the same request
   * when it is tried again later, until a `rotate()` names it without `verify`. Default: none.
   *
   * @example verify: { url: 'https://api.mypurecloud.com/api/v2/tokens/me' }
   */
  verify?: VerifyOptions | undefined
  /**
   * Takes the place of a rotation that is open with another credential. Default: false.
   *
   * If that rotation is not promoted yet, it is given up, and its caller gets
   * `ERR_ROTATION_CONFLICT`. If it is promoted, its previous credential stays a fallback until the
   * new one is proved. It is retired with the promotion, under the same conditions as with
   * `retireNow()`. When the new one is given up, the overlap continues as before.
   */
  supersede?: boolean | undefined
  /**
   * The active credential has leaked: it is retired at once with the promotion, and its tokens are
   * dropped. No source brings it back, only a `rotate()` that names it. Default: false.
   */
  compromised?: boolean | undefined
  /** Ends the wait; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** A request with the token of a candidate. */
export interface VerifyOptions {
  /** A URL: https, or http for this machine. No user name and no password. */
  url: string | UrlLike
}

/** Options of {@link TokenManager.prepareRotation}. */
export interface PrepareRotationOptions {
  /**
   * How long the fresh token must live, in ms. Default 0: any life is enough. 0 to 38,880,000,000.
   */
  minRunwayMs?: number | undefined
  /** Ends the wait; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** An `AbortSignal`, from Node.js or from a polyfill. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason?: any
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

// ----------------------------------------------------------------------------------------- options

/** Options of {@link TokenManager}. An unknown key is an error, at every level. */
export interface TokenManagerOptions {
  /**
   * Managers of one name, in all threads of the process, share one token. Default: none, nothing is
   * shared. 1 to 128 characters.
   *
   * Their options must be equal, except for `timeZone`, `strict` and `credentials`. Their
   * `credentials` are combined, so the token may come from the credentials of another manager.
   *
   * A name is a capability. Code that opens a manager of this name with equal options gets the
   * token, can invalidate it and can rotate the credential, whatever credentials it brings, even
   * wrong ones. So give each tenant a name of its own, or none, and never take a name from a
   * request.
   */
  name?: string | undefined

  /** Where tokens come from: {@link genesysCloud}, {@link pagerDuty} or {@link oauth2}. */
  provider: Provider

  /**
   * The credential to authenticate with, or a list of 1 to 1,000 whose first is the current one.
   * When the endpoint rejects one, the next is tried at once.
   *
   * @example
   * credentials: [
   *   fromEnv('CLIENT_ID', 'CLIENT_SECRET'),
   *   { label: 'next', clientId: 'app', clientSecret: fromEnv('NEXT_SECRET'), optional: true },
   * ]
   */
  credentials: CredentialEntry | readonly CredentialEntry[]

  /**
   * How long before its expiry a token is refreshed, in ms; at most half of its life. A
   * `refresh_in` in the answer takes precedence. Default: the smaller of 600,000 (10 min) and 25 %
   * of the token's life. 0 to 38,880,000,000.
   */
  refreshBeforeMs?: number | undefined

  /**
   * By how much of that window a refresh may start earlier, at random; it never starts later. A
   * ratio. Default 0.1. 0 to 1.
   */
  jitterRatio?: number | undefined

  /**
   * A token is not handed out closer than this to its expiry, in ms. Default: the smaller of 30,000
   * and 5 % of the token's life. 0 to 3,600,000, less than `maxTokenAgeMs`.
   */
  expiryMarginMs?: number | undefined

  /**
   * How long a token is used at most, in ms, whatever `expires_in` says: for a provider that ends
   * tokens early. Default: none. 1,000 to 38,880,000,000.
   */
  maxTokenAgeMs?: number | undefined

  /**
   * A token is refreshed before less than this is left of its life, in ms; at most half of its
   * life. Default: none. 0 to 38,880,000,000, at most half of `maxTokenAgeMs`.
   */
  minRunwayMs?: number | undefined

  /**
   * How long `getToken()` and `ready()` wait while there is no token, in ms. The fetch continues
   * after that. Default 5,000. 1 to 3,600,000.
   */
  acquireTimeoutMs?: number | undefined

  /**
   * How long one token request may take, including the connection, in ms. Default 10,000. 1 to
   * 3,600,000.
   */
  requestTimeoutMs?: number | undefined

  /**
   * How often files, functions and environment variables that yield credentials are read again, in
   * ms. Default 10,000. 10 to 86,400,000.
   *
   * While no token is held, files and variables are read every second and functions are called
   * every 5 s, if that is more often. Managers with the same interval read at the same instants, so
   * the second reading may come sooner.
   */
  sourcePollMs?: number | undefined

  /**
   * How long a credential that was replaced stays a fallback, in ms. Default: the remaining life of
   * the old token, but at least 300,000 (5 min) and at most 3,600,000 (1 h). 1,000 to 604,800,000
   * (7 days).
   */
  overlapMs?: number | undefined

  /**
   * How long one attempt of `persist` may take, in ms. After that it counts as failed and is tried
   * again, and a function's `signal` is aborted. Default 30,000. 100 to 3,600,000.
   */
  persistTimeoutMs?: number | undefined

  /**
   * How long a token is kept at most before it is refreshed, in ms. So a dead secret is noticed
   * hours, not minutes, before the token expires. It is an ordinary refresh: when it fails, the
   * held token stays. Default 21,600,000 (6 h). 60,000 to 38,880,000,000, or 0: only when a refresh
   * is due.
   */
  proveEveryMs?: number | undefined

  /**
   * The IANA time zone of the local texts, such as `'America/Sao_Paulo'`. Default: the system's
   * zone.
   */
  timeZone?: string | undefined

  /**
   * Compares the wall clock on every call. So an expired token is not handed out even in the second
   * after a suspended process wakes, or in the minute after a process was restored from a
   * checkpoint. Default: false, or true if `AWS_LAMBDA_FUNCTION_NAME` is set.
   */
  strict?: boolean | undefined

  /**
   * A clock that a test turns by hand, made by `createClock()` of `oauth-rotor/testing`. Managers
   * of one name must use the same clock. Default: the machine's clock.
   */
  clock?: Clock | undefined
}

/**
 * Where tokens come from. Made by {@link genesysCloud}, {@link pagerDuty} or {@link oauth2}. It
 * shows none of its options.
 */
export interface Provider {
  readonly preset: 'genesysCloud' | 'pagerDuty' | 'oauth2'
  readonly [opaque]: 'provider'
}

/** Options that all providers take. */
export interface ProviderOptions {
  /**
   * How the client authenticates (RFC 6749 §2.3.1):
   * - `'basic'`: HTTP Basic over form-encoded client id and secret, as the RFC says;
   * - `'basic-raw'`: HTTP Basic over both as they are, as some servers (Genesys Cloud) expect;
   * - `'body'`: `client_id` and `client_secret` in the request's body.
   *
   * Default: `'basic'` for {@link oauth2}, `'basic-raw'` for {@link genesysCloud}, `'body'` for
   * {@link pagerDuty}.
   */
  clientAuth?: 'basic' | 'basic-raw' | 'body' | undefined
  /** The `scope` parameter (RFC 6749 §3.3): names separated by spaces. Default: not sent. */
  scope?: string | undefined
  /** The `audience` parameter, which some servers want. Default: not sent. */
  audience?: string | undefined
  /** The `resource` parameters (RFC 8707 §2): absolute URIs without a fragment. Default: none. */
  resource?: string | readonly string[] | undefined
  /**
   * Further parameters of the token request, except `grant_type`, those that have an option of
   * their own, and those that authenticate the client. Default: none.
   */
  params?: { readonly [name: string]: string } | undefined
  /**
   * The life of a token whose answer has no `expires_in`, in ms. Default 300,000 (5 min). 1,000 to
   * 38,880,000,000.
   */
  defaultLifetimeMs?: number | undefined
  /**
   * Uses `defaultLifetimeMs` as the life of every token, whatever `expires_in` says: for a server
   * that says 0 or -1 and means a token that never expires. Default: false, such a token is refused
   * (`ERR_MISCONFIGURED`).
   */
  ignoreExpiresIn?: boolean | undefined
  /**
   * Accepts every token as a bearer token, whatever its `token_type` says: for a server that calls
   * it `BearerToken` or `Application Access Token`. A missing or empty type is always accepted.
   * Default: false, any type other than Bearer is refused (RFC 6749 §7.1).
   */
  treatAsBearer?: boolean | undefined
  /**
   * Error codes that mean, at this server, that the client id or the secret is wrong, in addition
   * to `invalid_client` and those that docs/options.md lists. After such a code, the next
   * credential is tried. Case does not matter, and `-`, `.` and blanks count as `_`. Default: none.
   * Each has 1 to 128 visible ASCII characters and no colon.
   *
   * @example rejectedErrors: ['unknown_application']
   */
  rejectedErrors?: readonly string[] | undefined
  /**
   * The `User-Agent` of all requests (RFC 9110 §10.1.5): those for tokens, those of `verify`, and
   * those to a proxy. Default: `oauth-rotor/` and its version. 1 to 256 visible ASCII characters,
   * with blanks between them.
   *
   * @example userAgent: 'acme-webhooks/1.2 (ops@acme.example)'
   */
  userAgent?: string | undefined
  /**
   * How long the provider takes to make a new secret known to all of its servers, in ms. Rejections
   * of a credential that appeared within this time do not count. Default 0, or 10,000 for
   * {@link genesysCloud}. 0 to 3,600,000.
   */
  propagationMs?: number | undefined
  /** Certificates, as PEM text. Default: the system's trusted roots and no client certificate. */
  tls?: TlsOptions | undefined
  /**
   * The URL of an HTTP proxy (`http:` or `https:`, may hold a user name and password), or `false`
   * for none. Never used for this machine's own addresses. Default: what `HTTPS_PROXY`,
   * `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, by the rules of curl.
   */
  proxy?: string | UrlLike | false | undefined
  /**
   * Allows plain http to another machine. The secret then crosses the network in the clear.
   * Default: false.
   */
  allowInsecureHttp?: boolean | undefined
}

/** Certificates for the connection to the token endpoint. */
export interface TlsOptions {
  /**
   * Certificate authorities to trust instead of the system's. Each is PEM text with one or more
   * certificates. One of them may be a server's own self-signed certificate: the server is trusted
   * if it presents exactly that certificate, for its name and within its dates.
   */
  ca?: PemText | readonly PemText[] | undefined
  /** The client's certificate chain (mutual TLS). Needs `key`. */
  cert?: PemText | undefined
  /** The client's private key, without a passphrase. Needs `cert`. */
  key?: PemText | undefined
}

/** PEM text, as a string or as the bytes of a file (`fs.readFileSync(path)`). */
export type PemText = string | Uint8Array

/** A `URL`. */
export interface UrlLike {
  readonly href: string
  readonly searchParams: object
}

/** Options of {@link genesysCloud}: one of `region` and `host`, and what every provider takes. */
export type GenesysCloudOptions = ProviderOptions &
  (
    | {
        /** The region, such as `'us_east_1'` or `'sa_east_1'`, as Genesys' own SDKs name it. */
        region: string
        host?: undefined
      }
    | {
        /**
         * The host, such as `'login.mypurecloud.ie'`. `api.…` is corrected to `login.…`, with a
         * process warning with the code `OAUTH_ROTOR_API_HOST`. For tests, it may be a URL of this
         * machine, such as `'http://127.0.0.1:4000'`.
         */
        host: string
        region?: undefined
      }
  )

/** Options of {@link pagerDuty}. */
export type PagerDutyOptions = ProviderOptions & {
  /**
   * Required: `as_account-us.<subdomain>` (or `-eu`) and the scopes of the app, separated by
   * spaces.
   */
  scope: string
}

/** Options of {@link oauth2}. */
export type OAuth2Options = ProviderOptions & {
  /**
   * The token endpoint (RFC 6749 §3.2): https, or http for this machine or with
   * `allowInsecureHttp`. No fragment.
   */
  tokenUrl: string | UrlLike
}

/**
 * Genesys Cloud, `https://login.<region's domain>/oauth/token`, with `clientAuth: 'basic-raw'` and
 * `propagationMs: 10000`. The options are checked by {@link TokenManager}.
 *
 * @example genesysCloud({ region: 'sa_east_1' })
 */
export function genesysCloud(options: GenesysCloudOptions): Provider

/**
 * PagerDuty's REST API, `https://identity.pagerduty.com/oauth/token`, with `clientAuth: 'body'`.
 * The options are checked by {@link TokenManager}.
 *
 * @example pagerDuty({ scope: 'as_account-us.acme incidents.read' })
 */
export function pagerDuty(options: PagerDutyOptions): Provider

/**
 * Any OAuth 2.0 token endpoint. The options are checked by {@link TokenManager}.
 *
 * @example
 * oauth2({
 *   tokenUrl: 'https://idp.example.com/oauth2/token',
 *   audience: 'https://api.example.com',
 * })
 */
export function oauth2(options: OAuth2Options): Provider

// ----------------------------------------------------------------------------------------- sources

declare const opaque: unique symbol

/** A source of one field: of a client id or of a client secret. */
export interface FieldSource {
  readonly kind: 'env' | 'file' | 'env-file'
  readonly [opaque]: 'field'
}

/** A source of a whole credential. Both of its fields are read in one step. */
export interface CredentialSource {
  readonly kind: 'env-pair' | 'directory' | 'env-file-pair'
  readonly [opaque]: 'credential'
}

/**
 * A text, or where to read it from. One trailing line break is dropped from what a source yields,
 * and so is the byte order mark at the beginning of a file.
 *
 * Characters that no client id or secret has are an error, which names the file or variable:
 * control characters, invisible characters (a zero-width space), blanks other than a plain space (a
 * non-breaking space), and blanks at the beginning or end.
 */
export type Field = string | FieldSource | (() => FieldValue | Promise<FieldValue>)

/**
 * What a function yields for a field. After nothing or an empty text, the last value stays in use.
 */
export type FieldValue = string | null | undefined

/** A client id with its secret, as texts. */
export interface CredentialText {
  /** A name for people, in events and `status()`. 1 to 128 characters. */
  label?: string | undefined
  clientId: string
  clientSecret: string
  /** See {@link Credential.expiresAt}. */
  expiresAt?: Instant | undefined
}

/**
 * An instant: a `Date`, an ISO 8601 text with its offset (`'2027-01-31T00:00:00Z'`), or
 * milliseconds since 1970. A day without a time is in UTC. A date that does not exist is an error.
 * From the year 2000 to 9999.
 */
export type Instant = Date | string | number

/**
 * What a function yields for an entry. After nothing or an empty list, the last value stays in use.
 */
export type CredentialValue = CredentialText | readonly CredentialText[] | null | undefined

/** A client id with its secret, each a text or a source. */
export interface Credential {
  /** A name for people, in events and `status()`. 1 to 128 characters. Default: none. */
  label?: string | undefined
  /** The OAuth client id (RFC 6749 §2.2). Not secret. */
  clientId: Field
  /** The OAuth client secret (RFC 6749 §2.3.1). */
  clientSecret: Field
  /** Whether it may be missing. Default: false, a source that yields nothing is an error. */
  optional?: boolean | undefined
  /**
   * When the secret expires at the provider. The event `credential-expiring` announces it 30 days,
   * 7 days and 1 day before, and reports it when it has happened. Nothing else depends on it.
   * Default: not known.
   */
  expiresAt?: Instant | undefined
  /**
   * Where the credential that replaces this one is written to, so that a restarted process has it:
   * {@link envFile}, {@link secretFile}, or a function. `false`: nowhere. Default: if the secret is
   * read by {@link fromEnvFile}, that file; otherwise nowhere. The directory of a file has to
   * exist; otherwise the constructor throws `ERR_INVALID_OPTION`.
   *
   * Variables of `fromEnv` are always written, in `process.env` of each environment. The source
   * that the new credential itself came from is not written.
   *
   * If an entry reads its secret from an environment variable, its file comes before that variable:
   * the file is read once, at the start, and its credential is tried first. The variable's
   * credential stays a fallback. So a process that is started again with its old environment has
   * the new secret. A file that is missing, incomplete or unreadable counts as absent. If the
   * file's credential was accepted and the variables hold another one, a process warning with the
   * code `OAUTH_ROTOR_STALE_VARIABLE` says so.
   *
   * A function is called once per promotion. It gets the new credential and `{ signal }`, and its
   * promise resolves when the credential is kept. When the function fails, or takes longer than
   * `persistTimeoutMs`, it is called again after 10 s, but not while a call with the same
   * credential has not settled; a late success counts. The old credential is not retired before the
   * function has succeeded. It is given up after an error whose `code` is `EROFS`, `EBUSY`,
   * `EACCES` or `EPERM`. Only the error's name and its code, or those of its cause, are passed on.
   *
   * @example
   * persist: async ({ clientSecret }, { signal }) => {
   *   await vault.write('pagerduty/oauth', { secret: clientSecret }, { signal })
   * }
   */
  persist?: Sink | PersistFunction | false | undefined
}

/**
 * One entry of the list of credentials.
 *
 * A function is called at the start, every `sourcePollMs`, on `reload()`, and when the endpoint has
 * rejected every known credential. When it throws, only the error's name and its code, or those of
 * its cause, are passed on, because its message may hold a secret. A function that has not settled
 * after `acquireTimeoutMs` is left out until it does. It must not wait for a token of its own
 * manager, since that manager waits for the function.
 *
 * @example
 * credentials: async () => {
 *   const { id, secret } = await vault.read('pagerduty/oauth')
 *   return { clientId: id, clientSecret: secret }
 * }
 */
export type CredentialEntry =
  Credential | CredentialSource | (() => CredentialValue | Promise<CredentialValue>)

/**
 * Two environment variables that hold a credential. They are read when a manager is constructed,
 * and again every `sourcePollMs`. If one is missing, the constructor throws `ERR_INVALID_OPTION`.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when an argument cannot be the name of a
 * variable.
 * @example fromEnv('GC_CLIENT_ID', 'GC_CLIENT_SECRET')
 */
export function fromEnv(idVariable: string, secretVariable: string): CredentialSource
/**
 * One environment variable that holds a field.
 *
 * @example { clientId: 'app', clientSecret: fromEnv('CLIENT_SECRET') }
 */
export function fromEnv(variable: string): FieldSource

/**
 * A file that holds a field. It is read in the background, and again every `sourcePollMs`. A
 * relative path is resolved when this function is called.
 *
 * It has to be a regular file; links to one are followed. A pipe, a socket or a device is never
 * opened: it is an error that says so. In a directory that anybody may write to, such as `/tmp`, a
 * link of another user is an error too, unless the directory belongs to that user. This holds for
 * every file that this package reads or writes.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `path` is not a path.
 * @example { clientId: 'app', clientSecret: fromFile('/run/secrets/client') }
 */
export function fromFile(path: string | UrlLike): FieldSource

/**
 * Two files of one directory that hold a credential, such as a mounted Kubernetes secret. Its
 * `..data` link is resolved once for both files, so client id and secret always belong together.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `directory` is not a path or a name is not
 * a file's name.
 * @example fromDirectory('/etc/oauth', { clientId: 'client-id', clientSecret: 'client-secret' })
 */
export function fromDirectory(
  directory: string | UrlLike,
  names: { clientId: string; clientSecret: string },
): CredentialSource

/**
 * Two variables of a dotenv file that hold a credential. The file is read in the background, both
 * variables at once, and again every `sourcePollMs`. A new secret is persisted to it. To change
 * that, write the entry as two fields, with `persist`.
 *
 * The file is read as `dotenv` and Node.js (`--env-file`) read it; a variable that they read
 * differently is an error. Nothing is expanded: `$` stands for itself. A relative path is resolved
 * when this function is called.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `path` is not a path or the names are not
 * those of two variables (letters, digits, `_`, `.` and `-`).
 * @example
 * fromEnvFile('/srv/app/.env', { clientId: 'GC_CLIENT_ID', clientSecret: 'GC_CLIENT_SECRET' })
 */
export function fromEnvFile(
  path: string | UrlLike,
  variables: { clientId: string; clientSecret: string },
): CredentialSource
/**
 * One variable of a dotenv file that holds a field. Two fields of one entry that name the same file
 * are read at once. Unless the entry has `persist`, a new secret is persisted to the file of
 * `clientSecret`, and so is its client id if `clientId` is a variable of the same file.
 *
 * @example { clientId: 'app', clientSecret: fromEnvFile('/srv/app/.env', 'CLIENT_SECRET') }
 */
export function fromEnvFile(path: string | UrlLike, variable: string): FieldSource

// ------------------------------------------------------------------------------------------- sinks

/** Where a promoted credential is written to. Made by {@link envFile} or {@link secretFile}. */
export interface Sink {
  readonly kind: 'env-file' | 'secret-file'
  readonly [opaque]: 'sink'
}

/** A function that keeps a promoted credential; see {@link Credential.persist}. */
export type PersistFunction = (
  credential: PromotedCredential,
  context: PersistContext,
) => void | Promise<void>

/** The second argument of a {@link PersistFunction}. */
export interface PersistContext {
  /** Aborted when `persistTimeoutMs` has passed: give up then, so that the call can be repeated. */
  readonly signal: GlobalAbortSignal
}

/** The `AbortSignal` of the project's libraries, if they have one. */
type GlobalAbortSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : AbortSignalLike

/** The first argument of a {@link PersistFunction}. */
export interface PromotedCredential {
  /** As in {@link CredentialStatus.id}. */
  credentialId: string
  label?: string | undefined
  clientId: string
  clientSecret: string
}

/**
 * Writes to two variables of a dotenv file, both in one atomic rename. Comments, order, mode
 * (without set-uid, set-gid and sticky bits), owner, group and, on Linux, the POSIX access control
 * list are kept. A new file has the mode 0600. Until the new file takes its place, nobody else can
 * read it. A relative path is resolved when this function is called.
 *
 * In a directory that anybody may write to, such as `/tmp`, a file of another user is not written
 * (`persisted: 'impossible'`).
 *
 * Without `clientId` only the secret is written: for an entry whose client id is fixed. Then the
 * secret of another client is not written (`persisted: 'impossible'`), since the file could not say
 * which client it belongs to.
 *
 * `dotenv`, Node.js (`--env-file`) and a shell that sources the file read the same value, and the
 * shell runs nothing of it. Two kinds of value are not written (`persisted: 'impossible'`); use
 * {@link secretFile} for them:
 * - a value that no quotes carry through all three: one with an apostrophe together with `"`, `$`,
 *   a backtick or a backslash,
 * - a value that is not plain, below an unbalanced quote.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `path` is not a path or the names are not
 * those of two variables (letters, digits, `_`, `.` and `-`).
 * @example persist: envFile('.env', { clientId: 'GC_CLIENT_ID', clientSecret: 'GC_CLIENT_SECRET' })
 */
export function envFile(
  path: string | UrlLike,
  variables: { clientId?: string | undefined; clientSecret: string },
): Sink

/**
 * Writes to a file that holds the secret and nothing else, by an atomic rename. The client id is
 * not written. If the new secret belongs to another client than the entry's, nothing is written
 * (`persisted: 'impossible'`). A relative path is resolved when this function is called.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `path` is not a path.
 * @example
 * const path = '/var/lib/app/client-secret'
 * const credentials = { clientId: 'app', clientSecret: fromFile(path), persist: secretFile(path) }
 */
export function secretFile(path: string | UrlLike): Sink

// --------------------------------------------------------------------------------------- rotations

/** Names a credential, without its secret. */
export interface CredentialName {
  /** As in {@link CredentialStatus.id}. */
  readonly credentialId: string
  readonly label?: string | undefined
  readonly clientId: string
}

/**
 * Whether a promoted credential was persisted:
 * - `'none'`: there is nowhere to write it to,
 * - `'pending'`: it is not yet written everywhere,
 * - `'done'`: it is written wherever that is possible,
 * - `'impossible'`: it cannot be written anywhere.
 */
export type Persisted = 'none' | 'pending' | 'done' | 'impossible'

/** What a rotation has in every phase. Local texts are as in {@link TokenManagerStatus}. */
export interface RotationFacts {
  /** See {@link RotateOptions.rotationId}. */
  readonly rotationId: string
  /** Grows by one whenever another credential becomes active. */
  readonly generation: number
  /** The credential that this rotation makes active. */
  readonly candidate: CredentialName
  /** The credential that tokens are fetched with. */
  readonly active: CredentialName
  readonly persisted: Persisted
  /** What it waits for. Empty when it no longer waits for anything. */
  readonly waitingFor: readonly WaitingFor[]
}

/** Something that a rotation waits for. */
export interface WaitingFor {
  /**
   * - `'proof'`: the token endpoint (or `verify`) has to accept a credential,
   * - `'custody'`: the candidate needs a durable copy, outside this process,
   * - `'members'`: live members of the fleet have to follow,
   * - `'sinks'`: the active credential has to be persisted,
   * - `'time'`: the overlap continues until `retireNotBefore`; nothing is wrong.
   */
  readonly code: 'proof' | 'custody' | 'members' | 'sinks' | 'time'
  /** What the rotation waits for, why, and what to do. */
  readonly message: string
  readonly since: Date
  readonly sinceLocal: string
}

/** The candidate is being proved. */
export interface StagedRotation extends RotationFacts {
  readonly phase: 'staged'
  readonly previous: null
  readonly retireNotBefore: null
  readonly retireNotBeforeLocal: null
  readonly safeToRevokeAt: null
  readonly safeToRevokeAtLocal: null
  readonly reason: null
}

/** The candidate is active; the credential that was active before stays a fallback. */
export interface OverlapRotation extends RotationFacts {
  readonly phase: 'overlap'
  /** The fallback. */
  readonly previous: CredentialName
  /** When the previous credential is retired at the earliest. */
  readonly retireNotBefore: Date
  readonly retireNotBeforeLocal: string
  /** When the last token that was fetched with the previous credential has expired. */
  readonly safeToRevokeAt: Date
  readonly safeToRevokeAtLocal: string
  readonly reason: null
}

/** The candidate is or was active, and no previous credential is left. */
export interface RetiredRotation extends RotationFacts {
  readonly phase: 'retired'
  readonly previous: null
  readonly retireNotBefore: Date | null
  readonly retireNotBeforeLocal: string | null
  /**
   * When the last token that was fetched with the previous credential has expired. Null if there
   * was none.
   */
  readonly safeToRevokeAt: Date | null
  readonly safeToRevokeAtLocal: string | null
  readonly reason: null
}

/** The candidate was active, and another credential has taken over again. */
export interface RolledBackRotation extends RotationFacts {
  readonly phase: 'rolled-back'
  /** The candidate, while it is the fallback. */
  readonly previous: CredentialName | null
  readonly retireNotBefore: Date | null
  readonly retireNotBeforeLocal: string | null
  readonly safeToRevokeAt: Date | null
  readonly safeToRevokeAtLocal: string | null
  readonly reason: null
}

/** The candidate has never been active. */
export interface FailedRotation extends RotationFacts {
  readonly phase: 'failed'
  readonly previous: null
  readonly retireNotBefore: null
  readonly retireNotBeforeLocal: null
  readonly safeToRevokeAt: null
  readonly safeToRevokeAtLocal: null
  /** Why it failed. `ERR_ROTATION_CONFLICT` if another rotation took its place. */
  readonly reason:
    | 'ERR_CANDIDATE_REJECTED'
    | 'ERR_CANDIDATE_UNVERIFIED'
    | 'ERR_NO_CUSTODY'
    | 'ERR_RETIRE_BLOCKED'
    | 'ERR_ROTATION_CONFLICT'
}

/** A rotation without its methods, as in `status().rotation`. `phase` determines its members. */
export type RotationSnapshot =
  StagedRotation | OverlapRotation | RetiredRotation | RolledBackRotation | FailedRotation

/** The methods of a rotation. */
export interface RotationMethods {
  /**
   * Resolves, with the rotation as it is then, when
   * - `'everywhere'`: every live member of the fleet uses the new credential; without a store there
   *   is no fleet, and it rejects with `ERR_NO_FLEET` at once,
   * - `'persisted'`: the new credential has been persisted, or never will be: `persisted` is no
   *   longer `'pending'`,
   * - `'retired'`: no previous credential is left.
   *
   * Never throws. Rejects with `ERR_ROTATION_CONFLICT` when the candidate is given up before it is
   * active, and, if it waits for `'retired'`, after a rollback. Also rejects with
   * `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`, and `signal.reason`.
   */
  until(what: 'everywhere' | 'persisted' | 'retired', options?: WaitOptions): Promise<Rotation>

  /**
   * Makes the previous credential the active one again, if it is still accepted. The other one then
   * becomes its fallback.
   *
   * Never throws; rejects with
   * - `ERR_NO_CANDIDATE` when no previous credential is left,
   * - `ERR_CANDIDATE_REJECTED` when it is no longer accepted,
   * - `ERR_ROTATION_CONFLICT` when another rotation has taken this one's place, or its candidate is
   *   being proved to do so,
   * - `ERR_ROTATION_TIMEOUT` after 5 minutes without a clear answer, and `signal.reason`: both end
   *   only this wait,
   * - `ERR_INVALID_ARGUMENT` and `ERR_CLOSED`.
   */
  rollback(options?: WaitOptions): Promise<Rotation>

  /**
   * Retires the previous credential now instead of at `retireNotBefore`: it is never presented
   * again. If the last proof of the active credential is older than a minute, it is proved once
   * more before that.
   *
   * Never throws; rejects with
   * - `ERR_RETIRE_BLOCKED`, whose `missing` says what is missing,
   * - `ERR_ROTATION_CONFLICT` when another rotation has taken this one's place, or when the active
   *   credential fails meanwhile, so that the previous one is needed,
   * - `ERR_ROTATION_TIMEOUT` after 5 minutes without that proof,
   * - `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`, and `signal.reason`.
   *
   * If the wait ends without the retirement, the previous credential stays until `retireNotBefore`.
   *
   * @example await tokens.rotation()?.retireNow()
   */
  retireNow(options?: RetireNowOptions): Promise<Rotation>
}

/**
 * A rotation as it was when this object was made; `tokens.rotation()` returns it as it is now.
 * `phase` determines its members. Holds no secret and no token.
 *
 * @example
 * const rotation = tokens.rotation()
 * if (rotation?.phase === 'overlap') {
 *   console.log(`a fallback until ${rotation.retireNotBeforeLocal}`)
 * }
 */
export type Rotation = RotationSnapshot & RotationMethods

/** Options of {@link RotationMethods.until} and {@link RotationMethods.rollback}. */
export interface WaitOptions {
  /** Ends only the wait; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** Options of {@link RotationMethods.retireNow}. */
export interface RetireNowOptions extends WaitOptions {
  /**
   * Retires it even if members of the fleet have not followed, or the new credential was not
   * persisted, but never without the proof. Default: false.
   */
  force?: boolean | undefined
}

/** What {@link TokenManager.prepareRotation} resolves to. */
export interface Preparation {
  /** Until when the fresh token lives: the new credential has to be active before that. */
  readonly safeUntil: Date
  readonly safeUntilLocal: string
  /** The ids of the members of the fleet that hold the fresh token. Absent if nothing is shared. */
  readonly membersReady?: readonly string[] | undefined
  /**
   * The ids of the members that do not hold it yet. Absent if nothing is shared: then prepare in
   * each process.
   */
  readonly membersNotReady?: readonly string[] | undefined
  /**
   * Whether a new secret that `rotate()` is given would get a durable copy:
   * - `'kept'`: yes, in a file that was tried just now, or by a function that has kept one before,
   * - `'untested'`: by a function that was never called,
   * - `'none'`: no; put the new secret where the service reads it from.
   */
  readonly custody: 'kept' | 'untested' | 'none'
  /** Ends the preparation: the active secret is used again. Rejects only with `ERR_CLOSED`. */
  cancel(): Promise<void>
}

/** Why a previous credential cannot be retired yet. */
export interface Missing {
  /**
   * Whether a recent proof of the active credential is missing. It is asked for as soon as nothing
   * else is.
   */
  readonly proof: boolean
  /**
   * How many members of the fleet are in the way, at least. `acks` and `holders` name them: at most
   * 32 each, and none where the store did not name them in time.
   */
  readonly members: number
  /** Members of the fleet that have not seen the promotion. */
  readonly acks: readonly string[]
  /** Members of the fleet that do not hold the active credential. */
  readonly holders: readonly string[]
  /**
   * Entries, by their position in the list of credentials from 0, whose `persist` has not
   * succeeded.
   */
  readonly sinks: readonly number[]
  /**
   * Whether the active credential has no durable copy: no `persist` worked, and nothing else keeps
   * it.
   */
  readonly custody: boolean
}

// ------------------------------------------------------------------------------- status and health

/**
 * Local texts are RFC 9557 (`2026-11-23T16:28:00-03:00[America/Sao_Paulo]`), in the manager's time
 * zone.
 */
export interface TokenManagerStatus {
  name: string | undefined
  /** The IANA name of the zone of all local texts. */
  timeZone: string
  /**
   * The phase of the credentials. Null after `close()`. docs/rotation.md explains the phases.
   */
  phase: CredentialPhase | null
  /**
   * Grows by one whenever another credential becomes active. Null while `phase` is `'starting'`,
   * and after `close()`.
   */
  generation: number | null
  /** The token that is held, or null. */
  token: TokenStatus | null
  /**
   * All known credentials: those that are tried, in that order, then the others. When no source
   * yields a retired one any longer, its secret is wiped from memory and only its name is left.
   * Until the ids are derived, `role` says which role each credential is about to have.
   */
  credentials: CredentialStatus[]
  /** The source of each entry of this manager's `credentials`, in their order. */
  sources: SourceStatus[]
  /** The latest rotation, or null when there was none. */
  rotation: RotationSnapshot | null
  /** Whether a token request is under way or about to start. */
  refreshing: boolean
  /**
   * When the next token request starts. Null while one is under way, while no credential is known,
   * and after `close()`.
   */
  nextRefreshAt: Date | null
  nextRefreshAtLocal: string | null
  /** The latest failure, or null when there was none since the last success. */
  lastError: LastError | null
  closed: boolean
}

/**
 * The phase of the credentials:
 * - `'starting'`: there is no token yet,
 * - `'stable'`: a credential works, and no rotation is open,
 * - `'prepared'`: nobody presents the active credential, because it is about to be replaced,
 * - `'staged'`: another credential is being proved,
 * - `'overlap'`: the new credential is active, with the previous one as a fallback,
 * - `'degraded'`: no credential is accepted.
 */
export type CredentialPhase = 'starting' | 'stable' | 'prepared' | 'staged' | 'overlap' | 'degraded'

/** A token, without its text. */
export interface TokenStatus {
  /** Grows by one with every token. */
  serial: number
  issuedAt: Date
  issuedAtLocal: string
  expiresAt: Date
  expiresAtLocal: string
  /**
   * The {@link CredentialStatus.id} of the credential that it was fetched with. Null until the id
   * is derived.
   */
  credentialId: string | null
  label?: string | undefined
  clientId: string
}

/** A credential, without its secret. */
export interface CredentialStatus {
  /**
   * 16 hexadecimal digits, the same in every process, and safe to log.
   *
   * Deriving it takes 20 ms of CPU time, so it is null until something has needed it: the first
   * `status()`, which does not wait for it, a listener, a subscriber of a diagnostics channel, a
   * failed or rejected request, a changed source, `rotate()` or `prepareRotation()`.
   */
  id: string | null
  label?: string | undefined
  clientId: string
  /** What the token endpoint last said about it. */
  state: 'unknown' | 'accepted' | 'rejected'
  /**
   * Its role in the rotations:
   * - `'active'`: tokens are fetched with it,
   * - `'next'`: it is being proved,
   * - `'previous'`: it was active, and the overlap is open,
   * - `'standby'`: a fallback,
   * - `'quarantined'`: rejected while another one was accepted,
   * - `'waiting'`: the candidate after the open rotation,
   * - `'retired'`: never presented again,
   * - `'unknown'`: not looked at yet.
   */
  role: 'active' | 'next' | 'previous' | 'standby' | 'quarantined' | 'waiting' | 'retired' | 'unknown'
  /** As given in {@link Credential.expiresAt}, or null. */
  expiresAt: Date | null
  expiresAtLocal: string | null
}

/** The state of the source of an entry. */
export interface SourceStatus {
  /** The position in the list of credentials, from 0. */
  entry: number
  label?: string | undefined
  /**
   * `'pending'`: not read yet. While it is `'empty'` or `'unreadable'`, its last value stays in
   * use.
   */
  state: 'ok' | 'pending' | 'empty' | 'unreadable'
  /** Since when it is empty or unreadable. Otherwise null. */
  since: Date | null
  sinceLocal: string | null
  /** Why it is so, with the file or variable. */
  message?: string | undefined
}

/** The latest failure. */
export interface LastError {
  at: Date
  atLocal: string
  error: FailureCause
}

/**
 * @example
 * app.get('/live', (request, response) => response.sendStatus(tokens.health().live ? 200 : 503))
 * app.get('/ready', (request, response) => {
 *   const health = tokens.health()
 *   response.status(health.ready ? 200 : 503).json(health)
 * })
 */
export interface TokenManagerHealth {
  /**
   * For a liveness probe: false only when the native thread should have run but has not, for 10 s
   * between two looks. A restart helps then; it never helps against an endpoint or a credential. Do
   * not use `ready` for liveness: an outage of the provider would restart every instance.
   */
  live: boolean
  /** For a readiness probe: true when a token is held, so that `getToken()` resolves at once. */
  ready: boolean
  /** True when there are `problems`: something needs attention, even if a token is still held. */
  degraded: boolean
  /**
   * The problems as texts of one line, with their beginning in local time. Empty if there are none.
   */
  reasons: string[]
  /** What needs attention, the most urgent first. docs/alerts.md says what to do about each. */
  problems: HealthProblem[]
  /** How long the held token may still be handed out, in ms; 0 without one. */
  tokenRunwayMs: number
}

/** Something that needs attention. It disappears with its cause. */
export interface HealthProblem {
  /**
   * - `'thread-stalled'`: the native thread has not run,
   * - `'no-token'`: no token is held,
   * - `'tokens-refused'`: a resource answers 401 to every token,
   * - `'refresh-failing'`: the token cannot be refreshed,
   * - `'degraded'`: no known credential is accepted,
   * - `'credential-rejected'`: the endpoint rejects a credential that is in use,
   * - `'source-unreadable'`, `'source-empty'`: a source yields nothing,
   * - `'source-throttled'`: a source changes so often that only one change a second is taken up,
   * - `'persist-failing'`, `'persist-impossible'`: a new secret cannot be persisted,
   * - `'not-persisted'`: the active credential has no durable copy outside this process,
   * - `'awaiting-proof'`, `'awaiting-custody'`, `'awaiting-members'`, `'awaiting-sinks'`: a
   *   rotation waits, and somebody has to act,
   * - `'credential-expiring'`, `'credential-expired'`: a credential's `expiresAt` is within a day,
   *   or past.
   */
  code:
    | 'thread-stalled'
    | 'no-token'
    | 'tokens-refused'
    | 'refresh-failing'
    | 'degraded'
    | 'credential-rejected'
    | 'source-unreadable'
    | 'source-empty'
    | 'source-throttled'
    | 'persist-failing'
    | 'persist-impossible'
    | 'not-persisted'
    | 'awaiting-proof'
    | 'awaiting-custody'
    | 'awaiting-members'
    | 'awaiting-sinks'
    | 'credential-expiring'
    | 'credential-expired'
  /** What is wrong, where, and what to do. */
  message: string
  since: Date
  sinceLocal: string
  /** Whether `getToken()` cannot be served because of it. */
  affectsTokens: boolean
}

/** Numbers for monitoring. The counts begin when the manager is opened, and never decrease. */
export interface TokenManagerMetrics {
  /** How long the held token may still be handed out, in ms; 0 without one. */
  readonly tokenRemainingMs: number
  /** Refreshes by their result: a token, or an error with the code that the name stands for. */
  readonly refreshes: {
    readonly success: number
    /** `ERR_CREDENTIAL_REJECTED`: every known credential. */
    readonly rejected: number
    /** `ERR_MISCONFIGURED` */
    readonly misconfigured: number
    /** `ERR_THROTTLED` */
    readonly throttled: number
    /** `ERR_ENDPOINT` */
    readonly endpoint: number
  }
  /** Calls that found no token and had to wait. */
  readonly waits: number
  /** Answers that rejected a credential. */
  readonly credentialRejections: number
  /** Tokens that were dropped by `invalidate()`. */
  readonly invalidations: number
  /** Calls of `invalidate()` that came too soon after one that counted. */
  readonly invalidationsIgnored: number
  /** How often the native thread, or this manager's part of it, was started again. */
  readonly threadRestarts: number
  /** How long refreshes took, including all credentials that were tried. */
  readonly refreshDurationMs: {
    readonly count: number
    /** The sum of all durations, in ms. */
    readonly sum: number
    /** Cumulative: `count` refreshes took at most `le` ms. */
    readonly buckets: readonly { readonly le: number; readonly count: number }[]
  }
}

// ------------------------------------------------------------------------------------------ events

/** What every event carries. */
export interface RotorEvent {
  /**
   * Grows with every event. Managers of one name count together, so an event has the same number at
   * each of them. Only the source's own manager emits the event `source`.
   */
  seq: number
  at: Date
  atLocal: string
  /** The manager's name, if it has one. */
  name: string | undefined
}

/**
 * Events and their payloads. No payload holds a token or a secret. `node:diagnostics_channel`
 * publishes the same events as `oauth-rotor:<event>`.
 *
 * @example
 * tokens.on('refresh-failed', ({ error, nextAttemptAt }) => {
 *   log.warn({ error, nextAttemptAt }, 'token refresh failed')
 * })
 */
export interface RotorEvents {
  /** A new token is handed out. */
  token: TokenEvent
  /** A token is no longer handed out. */
  'token-retired': TokenRetiredEvent
  /** The token endpoint does not accept a credential. */
  'credential-rejected': CredentialRejectedEvent
  /** A refresh failed; a token that is held stays in use. */
  'refresh-failed': RefreshFailedEvent
  /** A 401 was reported too soon after the last one; the token is kept. */
  'invalidate-ignored': InvalidateIgnoredEvent
  /** A source of credentials has changed, yields nothing, cannot be read, or changes too often. */
  source: SourceEvent
  /** The credentials have changed their phase, or a rotation waits for somebody. */
  rotation: RotationEvent
  /**
   * A promoted credential was persisted, or could not be. Only the entry's own manager emits it.
   */
  persisted: PersistedEvent
  /** A credential is about to expire, or has expired. */
  'credential-expiring': CredentialExpiringEvent
  /** The native thread died and was started again. Valid tokens were kept. */
  'thread-restarted': RotorEvent
}

export interface TokenEvent extends RotorEvent {
  serial: number
  credentialId: string
  label?: string | undefined
  clientId: string
  issuedAt: Date
  issuedAtLocal: string
  expiresAt: Date
  expiresAtLocal: string
  /** When the next token is fetched. */
  refreshAt: Date
  refreshAtLocal: string
}

export interface TokenRetiredEvent extends RotorEvent {
  serial: number
  /**
   * Why it is no longer handed out:
   * - `'replaced'`: the next token is here,
   * - `'invalidated'`: a 401 was reported for it,
   * - `'expired'`: its time is over,
   * - `'dropped'`: its credential has leaked or failed its checks.
   */
  reason: 'replaced' | 'invalidated' | 'expired' | 'dropped'
}

export interface CredentialRejectedEvent extends RotorEvent {
  credentialId: string
  label?: string | undefined
  clientId: string
  error: FailureCause
}

export interface RefreshFailedEvent extends RotorEvent {
  error: FailureCause
  nextAttemptAt: Date
  nextAttemptAtLocal: string
  /** How long the held token may still be handed out, in ms; 0 without one. */
  runwayMs: number
}

export interface InvalidateIgnoredEvent extends RotorEvent {
  serial: number
  /** How long until a report counts again, in ms. */
  retryAfterMs: number
}

export interface SourceEvent extends RotorEvent {
  /** The position in the list of credentials, from 0. */
  entry: number
  label?: string | undefined
  /**
   * After `'emptied'` and `'unreadable'` its last value stays in use.
   *
   * After `'throttled'` its changes are no longer reported and taken up as they come, but one a
   * second, because there were 10 in a row. A list with many new credentials counts for more: one
   * of 400 counts for 41. The latest value is always taken up in the end. The event is emitted
   * again if the source has not changed for about 10 s and then changes too often again.
   */
  change: 'changed' | 'emptied' | 'unreadable' | 'throttled'
  /** Why it is unreadable or throttled. */
  message?: string | undefined
}

export interface RotationEvent extends RotorEvent {
  /**
   * - `'started'`: the first credential was accepted (emitted with the first listener, if that
   *   comes later),
   * - `'prepared'`, `'preparation-ended'`: see {@link TokenManager.prepareRotation},
   * - `'staged'`: a candidate is being proved,
   * - `'promoted'`: it is active,
   * - `'candidate-rejected'`, `'candidate-withdrawn'`: it was given up,
   * - `'substituted'`: the active credential was rejected, and another one took over,
   * - `'fell-back'`: the active credential was rejected soon after its promotion, and the previous
   *   one took over,
   * - `'abandoned'`: no live member of the fleet holds the new one any longer, and a fallback took
   *   over: the previous one where anybody holds that,
   * - `'rolled-back'`: the previous one is active again, because `rollback()` was called,
   * - `'retired'`: the previous one is never presented again,
   * - `'overdue'`: the previous one should be retired, but something is `missing`,
   * - `'degraded'`: no known credential is accepted,
   * - `'recovered'`: a credential is accepted again.
   *
   * And without a change of `phase`:
   * - `'awaiting-proof'`: the endpoint, or `verify`, has given no clear answer about the candidate,
   *   which is tried again; `error` says why. Emitted once for each kind of answer, not for each
   *   attempt,
   * - `'awaiting-custody'`: the candidate is proved but has no durable copy, even after every
   *   `persist` was tried once. Emitted once for each reason,
   * - `'not-persisted'`: the promoted credential has no durable copy: it is lost with the process,
   * - `'compromised-ignored'`: a source brought back a credential that has leaked.
   */
  change:
    | 'started'
    | 'prepared'
    | 'preparation-ended'
    | 'staged'
    | 'promoted'
    | 'candidate-rejected'
    | 'candidate-withdrawn'
    | 'substituted'
    | 'fell-back'
    | 'abandoned'
    | 'rolled-back'
    | 'retired'
    | 'overdue'
    | 'degraded'
    | 'recovered'
    | 'awaiting-proof'
    | 'awaiting-custody'
    | 'not-persisted'
    | 'compromised-ignored'
  rotationId?: string | undefined
  from: CredentialPhase
  to: CredentialPhase
  generation: number
  active: CredentialName | null
  previous?: CredentialName | undefined
  next?: CredentialName | undefined
  /** See {@link OverlapRotation.retireNotBefore}. */
  retireNotBefore?: Date | undefined
  retireNotBeforeLocal?: string | undefined
  /** See {@link OverlapRotation.safeToRevokeAt}. Also with `'retired'`. */
  safeToRevokeAt?: Date | undefined
  safeToRevokeAtLocal?: string | undefined
  /** With `'overdue'`. */
  missing?: Missing | undefined
  /** Why the candidate was given up. `next` and `rotationId` then belong to that candidate. */
  reason?: GivenUp | undefined
  /** With `'awaiting-proof'`, and when a candidate was given up because something has failed. */
  error?: RotorError | undefined
  /** What happened, with which credential, and what to do. */
  message: string
}

/**
 * Why a candidate was given up:
 * - `'rejected'`: the endpoint, or `verify`, rejected it,
 * - `'deadline'`: nothing proved it within 10 minutes,
 * - `'no-custody'`: it was proved, but there was no durable copy,
 * - `'retire-blocked'`: it was proved, but the rotation before it could not end,
 * - `'superseded'`: another rotation took its place,
 * - `'withdrawn'`: its source yields the active credential again,
 * - `'caller-left'`: nobody waits for it, and no source yields it,
 * - `'not-held'`: no member holds it.
 */
export type GivenUp =
  | 'rejected'
  | 'deadline'
  | 'no-custody'
  | 'retire-blocked'
  | 'superseded'
  | 'withdrawn'
  | 'caller-left'
  | 'not-held'

export interface PersistedEvent extends RotorEvent {
  /** The position in the list of credentials, from 0. */
  entry: number
  /**
   * After `'failed'` it is tried again automatically; after `'impossible'` only when `rotate()` is
   * called with the same secret.
   */
  outcome: 'done' | 'failed' | 'impossible'
  credentialId: string
  label?: string | undefined
  clientId: string
  /** Why it was not written. */
  message?: string | undefined
}

export interface CredentialExpiringEvent extends RotorEvent {
  credentialId: string
  label?: string | undefined
  clientId: string
  expiresAt: Date
  expiresAtLocal: string
  /** How many days are left; 0 when it has expired. */
  daysLeft: 30 | 7 | 1 | 0
}

// ------------------------------------------------------------------------------ webhook signatures

/**
 * Signs the webhooks that you send, and verifies those that you get.
 *
 * While a key is rolled, a webhook carries a signature of each key that signs, where the scheme
 * allows several, and every key that verifies is accepted. The body is what is sent: a string or
 * bytes, never what a framework parsed.
 *
 * An idle signer never keeps the process alive. One that nothing refers to any longer is closed
 * when it is garbage-collected, but not while a listener is attached.
 *
 * @example
 * import { WebhookSigner, fromEnv, fromFile } from 'oauth-rotor'
 *
 * const signer = new WebhookSigner({
 *   scheme: 'pagerduty',
 *   keys: [
 *     { label: 'autumn', key: fromFile('/run/secrets/autumn'), signsFrom: '2026-10-01T03:00:00Z' },
 *     { label: 'summer', key: fromEnv('SIGNING_KEY') },
 *   ],
 * })
 * await signer.ready()
 * await fetch(url, { method: 'POST', body, headers: signer.sign(body) })
 */
export class WebhookSigner {
  /**
   * Checks all options at once and throws `ERR_INVALID_OPTION`, which names each that is wrong.
   * Environment variables are read at once; files and functions soon after, see {@link ready}.
   */
  constructor(options: WebhookSignerOptions)

  /**
   * Returns the headers for a body, each with its value: the signature, and what the scheme sends
   * beside it. Several keys sign newest first, where the scheme allows several signatures.
   *
   * Throws `ERR_NO_KEY` when no key signs now, `ERR_SIGNATURE_BODY_PARSED` when the body is neither
   * a string nor bytes, `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`.
   */
  sign(body: WebhookBody, options?: SignOptions): Record<string, string>

  /**
   * Checks the signature of a request. The comparison takes the same time wherever a wrong
   * signature differs.
   *
   * @param headers the headers of the request: of Node.js, of fetch, or an object with their names
   *   in any case.
   * @throws an error whose `status` is the HTTP status to answer with: `ERR_SIGNATURE_MISSING` 400,
   *   `ERR_SIGNATURE_MALFORMED` 400, `ERR_SIGNATURE_EXPIRED` 400 (too old, or from the future),
   *   `ERR_SIGNATURE_MISMATCH` 401 (with the scheme `pagerduty` 403), `ERR_NO_KEY` 503,
   *   `ERR_SIGNATURE_BODY_PARSED` 500; and `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`.
   *
   * @example
   * app.post('/pagerduty', async (request, response) => {
   *   try {
   *     const webhook = signer.verify(request.rawBody, request.headers)
   *     await signer.handleOnce(webhook, seen, () => handle(request.body))
   *     response.sendStatus(202)
   *   } catch (error) {
   *     response.sendStatus(error.status ?? 500)
   *   }
   * })
   */
  verify(body: WebhookBody, headers: WebhookHeaders): VerifiedWebhook

  /**
   * Calls `handler` unless a webhook of the same id was handled before: senders repeat a webhook
   * whose answer they did not get. When `handler` throws, its id is deleted from `seen`, so that
   * the sender's next try is taken, and the error passes on. If that deletion fails, the error has
   * its failure as `seenError`.
   *
   * The id is the signed one, `webhook.id`. For schemes without one, give the sender's `id`;
   * without any: `ERR_INVALID_ARGUMENT`.
   *
   * @returns `{ duplicate: true }` for a repeat, which you answer with a 2xx.
   */
  handleOnce<Value>(
    webhook: VerifiedWebhook,
    seen: SeenIds,
    handler: () => Value | PromiseLike<Value>,
    options?: HandleOnceOptions,
  ): Promise<{ duplicate: true } | { duplicate: false; value: Awaited<Value> }>

  /**
   * Resolves when there is a key. Rejects with `ERR_NO_KEY` when the sources were read, or had 5 s,
   * and there is none; with the credentials of a {@link TokenManager} as its
   * {@link TokenManager.ready}. May be called again. Holds the process while pending.
   */
  ready(options?: { signal?: AbortSignalLike | undefined }): Promise<void>

  /** A snapshot for people. Does no I/O. */
  status(): WebhookSignerStatus

  /** A snapshot for probes. Does no I/O. */
  health(): WebhookSignerHealth

  /**
   * Calls `listener` on every event of this name. The same events are published on the channels
   * `oauth-rotor:<event>` of `node:diagnostics_channel`.
   */
  on<Name extends keyof KeyEvents>(event: Name, listener: (payload: KeyEvents[Name]) => void): this
  /** Calls `listener` on the next event of this name. */
  once<Name extends keyof KeyEvents>(event: Name, listener: (payload: KeyEvents[Name]) => void): this
  /** Stops calling `listener`. */
  off<Name extends keyof KeyEvents>(event: Name, listener: (payload: KeyEvents[Name]) => void): this

  /** Closes this signer. Pending and later calls fail with `ERR_CLOSED`. May be called again. */
  close(): Promise<void>

  /** {@link WebhookSigner.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>

  /** Returns what loggers and `console.log` show. Holds no key. */
  toJSON(): WebhookSignerHealth & { scheme: string; closed: boolean }
}

/** What is signed: the bytes as they are sent, a string as UTF-8. */
export type WebhookBody = string | ArrayBufferView | ArrayBuffer

/** The headers of a request. Of several headers of one name, the values are joined. */
export type WebhookHeaders =
  | { get(name: string): string | null | undefined }
  | { readonly [name: string]: string | readonly string[] | undefined }

/** Options of a {@link WebhookSigner}. */
export interface WebhookSignerOptions {
  /**
   * How signatures look; each is an HMAC-SHA256.
   *
   * - `pagerduty`: `X-PagerDuty-Signature: v1=<hex>,v1=<hex>` over the body; an id is sent as
   *   `X-Webhook-Id`.
   * - `standard-webhooks`: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64>` over
   *   `{id}.{timestamp}.{body}`; keys are base64 of 24 to 64 bytes, with or without `whsec_`.
   * - `stripe`: `Stripe-Signature: t=<seconds>,v1=<hex>` over `{timestamp}.{body}`.
   * - `github`: `X-Hub-Signature-256: sha256=<hex>` over the body; an id is sent as
   *   `X-GitHub-Delivery`.
   * - `slack`: `X-Slack-Signature: v0=<hex>` and `X-Slack-Request-Timestamp` over
   *   `v0:{timestamp}:{body}`.
   * - `genesys`: `X-Hub-Signature-256: sha256=<base64>` over the body (Genesys Cloud Open Messaging).
   * - {@link HmacScheme}: your own.
   */
  scheme: 'pagerduty' | 'standard-webhooks' | 'stripe' | 'github' | 'slack' | 'genesys' | HmacScheme
  /**
   * The keys, newest first: strings or sources, read again like credentials. Or a
   * {@link TokenManager}, whose client secrets are the keys then: the active and the previous one
   * sign; these and the next one verify. Prefer keys of their own: every receiver has to hold what
   * you sign with, and would hold your OAuth secret.
   */
  keys: Field | WebhookKey | readonly (Field | WebhookKey)[] | TokenManager
  /**
   * Which of two keys signs where the scheme has one signature. Default `previous`: receivers may
   * not have the new one yet.
   */
  signWith?: 'previous' | 'current' | undefined
  /**
   * With a {@link TokenManager}: how long a retired secret still verifies, in ms. Default 0, at most
   * 7 days. Not one that was compromised.
   */
  graceMs?: number | undefined
  /**
   * How far the time of a signature may be from now, in both directions, in ms. Default 300,000;
   * 1,000 to 86,400,000. For schemes that sign a time.
   */
  toleranceMs?: number | undefined
  /** How often sources are read again, in ms. Default 10,000; 10 to 86,400,000. */
  sourcePollMs?: number | undefined
  /** The zone of local times: an IANA name. Default the system's. */
  timeZone?: string | undefined
  /** A clock for tests: what `createClock()` of `oauth-rotor/testing` returns. */
  clock?: Clock | undefined
}

/**
 * A key, and when it is used. Without times it signs and verifies. To roll a key: add the new one
 * everywhere, to sign from an instant at which all have it; remove the old one later. In a scheme
 * with one signature, have the old one end to sign at that instant (`signsUntil`), or set
 * `signWith`.
 */
export interface WebhookKey {
  /** The key, or where it is read from. */
  key: Field
  /** What results and events call it. Default its place, such as `keys[0]`. */
  label?: string | undefined
  /** When it begins to sign. Default at once. */
  signsFrom?: Instant | undefined
  /** When it ends to sign. Default never. */
  signsUntil?: Instant | undefined
  /** When it ends to verify. Default never. */
  verifiesUntil?: Instant | undefined
}

/** A scheme of your own: an HMAC-SHA256 in a header. */
export interface HmacScheme {
  /** The header of the signature, such as `X-Signature`. */
  header: string
  /** What stands before each signature, such as `v1=`. Default nothing. */
  prefix?: string | undefined
  /** Default `hex`. */
  encoding?: 'hex' | 'base64' | undefined
  /**
   * What stands between several signatures, such as `,` or a blank: one character, and perhaps
   * blanks around it. Without it there is one signature.
   */
  separator?: string | undefined
  /**
   * What is signed: a text with `{body}` once, and perhaps `{id}` and `{timestamp}` (seconds since
   * 1970) before it. Default `{body}`.
   */
  signed?: string | undefined
  /** The header of the id. Required if it is signed. */
  idHeader?: string | undefined
  /** The header of the time, in seconds since 1970. Required if it is signed, and only then. */
  timestampHeader?: string | undefined
}

/** Options of {@link WebhookSigner.sign}. */
export interface SignOptions {
  /**
   * The id of the message, which its retries keep: 1 to 256 visible ASCII characters. Required where
   * it is signed (`standard-webhooks`).
   */
  id?: string | undefined
  /** When it is signed. Default now. A number is in ms since 1970. */
  timestamp?: Instant | undefined
}

/** Options of {@link TokenManager.authHeaders}. */
export interface AuthHeadersOptions extends SignOptions {
  /** What signs the body. */
  signer: WebhookSigner
  /** Ends the wait for a token. */
  signal?: AbortSignalLike | undefined
}

/** A webhook whose signature was verified. */
export interface VerifiedWebhook {
  /**
   * The key that matched: its label or place; with a {@link TokenManager} `active`, `previous`,
   * `next` or `retired`.
   */
  readonly key: string
  /** The version of the signature that matched, such as `v1`. */
  readonly version: string
  /** When it was signed, where the scheme says so. */
  readonly timestamp: Date | undefined
  /**
   * The signed id: `webhook-id` of `standard-webhooks`, `event.id` of a PagerDuty webhook, `id` of a
   * Stripe event. Undefined where none is signed.
   */
  readonly id: string | undefined
}

/** Options of {@link WebhookSigner.handleOnce}. */
export interface HandleOnceOptions {
  /** The sender's id, for schemes that sign none. 1 to 512 characters. */
  id?: string | undefined
  /** How long an id is remembered, in ms. Default 48 h, for which PagerDuty repeats. */
  ttlMs?: number | undefined
}

/** Where {@link WebhookSigner.handleOnce} remembers ids, such as Redis for several processes. */
export interface SeenIds {
  /**
   * Remembers an id for `ttlMs`. Returns whether it is new. Atomic: of two calls at once with one id
   * one returns true.
   */
  add(id: string, ttlMs: number): boolean | PromiseLike<boolean>
  /** Forgets an id. */
  delete(id: string): unknown
}

/**
 * Remembers ids in memory, for one process. When it is full, it drops the oldest id.
 *
 * @param options `max` ids, default 100,000; `now`, a clock in ms for tests.
 */
export function memorySeen(options?: {
  max?: number | undefined
  now?: (() => number) | undefined
}): SeenIds & { add(id: string, ttlMs: number): boolean; delete(id: string): boolean }

/** Returned by {@link WebhookSigner.status}. */
export interface WebhookSignerStatus {
  scheme: string
  /** The zone of the local times. */
  timeZone: string
  closed: boolean
  /** The keys that were read, newest first. */
  keys: {
    key: string
    /** It signs now, if the scheme has room for its signature. */
    signs: boolean
    verifies: boolean
    signsFrom: Date | null
    signsFromLocal: string | null
    signsUntil: Date | null
    signsUntilLocal: string | null
    verifiesUntil: Date | null
    verifiesUntilLocal: string | null
  }[]
  problems: KeyProblem[]
}

/** Why a key, or its latest value, cannot be used. */
export interface KeyProblem {
  key: string
  message: string
  since: Date
  sinceLocal: string
}

/** Returned by {@link WebhookSigner.health}. */
export interface WebhookSignerHealth {
  /** A key signs or verifies. */
  ready: boolean
  signs: boolean
  verifies: boolean
  /** Something needs a look. */
  degraded: boolean
  /** For people. */
  reasons: string[]
  problems: KeyProblem[]
}

/** What every event of a {@link WebhookSigner} has. */
export interface KeyEvent {
  /** The signer's scheme. */
  scheme: string
  /** +1 with every event of the signer. */
  seq: number
  at: Date
  atLocal: string
  /** The name of the key, as in {@link VerifiedWebhook.key}. */
  key: string
}

/** The events of a {@link WebhookSigner}. */
export interface KeyEvents {
  /** Signatures of another key are accepted. */
  'key-added': KeyEvent
  /** A key neither signs nor verifies any more. */
  'key-retired': KeyEvent
  /** A key could not be read, or cannot be one; its last value, if any, stays in use. */
  'key-unreadable': KeyEvent & { message: string }
}

// ------------------------------------------------------------------------------------------ errors

/**
 * The codes of all errors. They never change their meaning; messages are for people and may change.
 * docs/errors.md says what to do about each.
 */
export type RotorErrorCode = AnyRotorError['code']

/** Every error of this package. `code` distinguishes them. */
export type AnyRotorError =
  | InvalidOptionError
  | InvalidArgumentError
  | OptionsConflictError
  | NativeUnavailableError
  | CredentialUnavailableError
  | TokenUnavailableError
  | LifetimeTooShortError
  | ClosedError
  | EndpointCause
  | DegradedError
  | CandidateRejectedError
  | CandidateUnverifiedError
  | RotationConflictError
  | RotationTimeoutError
  | NoCandidateError
  | NoCustodyError
  | PersistFailedError
  | NoFleetError
  | RetireBlockedError
  | BodyConsumedError
  | NoKeyError
  | SignatureMissingError
  | SignatureMalformedError
  | SignatureExpiredError
  | SignatureMismatchError
  | SignatureBodyParsedError
  | RawBodyError

/**
 * What the token endpoint's answer, or a missing answer, means: the `cause` of a {@link
 * TokenUnavailableError}.
 */
export type EndpointCause = CredentialRejectedError | MisconfiguredError | ThrottledError | EndpointError

/**
 * Why a refresh failed: what the endpoint's answer means, or that there is no credential to send.
 */
export type FailureCause = EndpointCause | CredentialUnavailableError

/**
 * Returns whether an error comes from this package, or from another copy of it in the process.
 *
 * @example
 * catch (error) {
 *   if (isRotorError(error) && error.code === 'ERR_TOKEN_UNAVAILABLE') {
 *     return retryIn(error.retryAfterMs ?? 1000)
 *   }
 *   throw error
 * }
 */
export function isRotorError(error: unknown): error is AnyRotorError

/** The base class of all errors. `instanceof` works across several copies of the package. */
export class RotorError extends Error {
  protected constructor(code: string, message: string, details?: ErrorDetails & { retryable?: boolean })
  readonly code: string
  /** Whether the same call may succeed later although nobody changes anything. */
  readonly retryable: boolean
  readonly cause?: unknown
  /** Everything but the stack, for loggers. */
  toJSON(): { name: string; code: string; message: string; retryable: boolean; [detail: string]: unknown }
}

/** What the constructors of the errors take, for tests that need an error. */
export interface ErrorDetails {
  cause?: unknown
}

/**
 * One or more options are wrong. `problems` has the first 20 of them; the message has the same
 * ones, and says how many more there are. A list or an object with more than 1,000 items is one
 * problem, and its items are not checked.
 */
export class InvalidOptionError extends RotorError {
  constructor(
    message: string,
    details?: ErrorDetails & { option?: string; problems?: readonly OptionProblem[] },
  )
  readonly code: 'ERR_INVALID_OPTION'
  /** The path of the first wrong option, such as `provider.tokenUrl`. */
  readonly option: string
  readonly problems: readonly OptionProblem[]
}

/** What is wrong with one option. */
export interface OptionProblem {
  /** The path of the option, such as `credentials[0].clientSecret`. */
  readonly option: string
  readonly message: string
}

/** An argument of a method is wrong. */
export class InvalidArgumentError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_INVALID_ARGUMENT'
}

/** Another manager of this name is open with other options. */
export class OptionsConflictError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { option?: string })
  readonly code: 'ERR_OPTIONS_CONFLICT'
  /** The option that differs. */
  readonly option?: string | undefined
}

/**
 * The native part for this platform is not installed, could not be loaded, or is of another
 * version. The message names its package and what to do. `cause` is the error of the attempt to
 * load it, if there was one.
 */
export class NativeUnavailableError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_NATIVE_UNAVAILABLE'
}

/**
 * A required source of credentials is empty or cannot be read. Retryable, since the source is read
 * again.
 */
export class CredentialUnavailableError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_CREDENTIAL_UNAVAILABLE'
}

/** No token is held and none arrived in time. Retryable, unless its `cause` is not. */
export class TokenUnavailableError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { retryAfterMs?: number })
  readonly code: 'ERR_TOKEN_UNAVAILABLE'
  /** How long to wait before asking again, in ms. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: FailureCause | DegradedError | undefined
}

/**
 * Even a fresh token lives shorter than `minValidityMs`, or than `minRunwayMs` of
 * `prepareRotation()`.
 */
export class LifetimeTooShortError extends RotorError {
  constructor(
    message: string,
    details?: ErrorDetails & { lifetimeMs?: number; safeUntil?: Date; safeUntilLocal?: string },
  )
  readonly code: 'ERR_LIFETIME_TOO_SHORT'
  /** How long a fresh token may be used, in ms. */
  readonly lifetimeMs: number
  /** Only from `prepareRotation()`: until when the fresh token would bridge a change. */
  readonly safeUntil?: Date | undefined
  readonly safeUntilLocal?: string | undefined
}

/** The manager was closed. */
export class ClosedError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_CLOSED'
}

/** What is known about the token endpoint's answer. */
export interface AnswerDetails {
  status?: number | undefined
  oauthError?: string | undefined
  description?: string | undefined
}

/**
 * The token endpoint does not accept the client or its secret (`invalid_client`,
 * `unauthorized_client`, or what the provider's `rejectedErrors` lists). Also a 401 or 403 that
 * does not say why: the reason may be the secret, the scope, or a gateway. It is then tried again,
 * and `retryable` is true.
 */
export class CredentialRejectedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & AnswerDetails & { retryable?: boolean })
  readonly code: 'ERR_CREDENTIAL_REJECTED'
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The `error` member of the answer (RFC 6749 §5.2), or what the server sends instead. */
  readonly oauthError?: string | undefined
  /**
   * The `error_description` member, or the server's explanation in another member (`message`,
   * `detail`, …). At most 256 characters, without secrets.
   */
  readonly description?: string | undefined
}

/**
 * The token endpoint does not accept the request, with any credential that was tried, because of a
 * wrong scope, parameter or URL (404); or it grants a token that cannot be used.
 */
export class MisconfiguredError extends RotorError {
  constructor(message: string, details?: ErrorDetails & AnswerDetails)
  readonly code: 'ERR_MISCONFIGURED'
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The `error` member of the answer (RFC 6749 §5.2), or what the server sends instead. */
  readonly oauthError?: string | undefined
  /**
   * The `error_description` member, or the server's explanation in another member (`message`,
   * `detail`, …). At most 256 characters, without secrets.
   */
  readonly description?: string | undefined
}

/**
 * The token endpoint asks for fewer requests: 429, 403 with `Retry-After`, an error such as
 * `rate_limit_exceeded`, or Genesys Cloud's 400 with `rate limit exceeded`.
 */
export class ThrottledError extends RotorError {
  constructor(message: string, details?: ErrorDetails & AnswerDetails)
  readonly code: 'ERR_THROTTLED'
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The `error` member of the answer (RFC 6749 §5.2), or what the server sends instead. */
  readonly oauthError?: string | undefined
  /**
   * The `error_description` member, or the server's explanation in another member (`message`,
   * `detail`, …). At most 256 characters, without secrets.
   */
  readonly description?: string | undefined
}

/**
 * The token endpoint could not be reached (DNS, TCP, TLS, timeout), or it answered with a 5xx or
 * with something other than JSON.
 */
export class EndpointError extends RotorError {
  constructor(message: string, details?: ErrorDetails & AnswerDetails)
  readonly code: 'ERR_ENDPOINT'
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The `error` member of the answer (RFC 6749 §5.2), or what the server sends instead. */
  readonly oauthError?: string | undefined
  /**
   * The `error_description` member, or the server's explanation in another member (`message`,
   * `detail`, …). At most 256 characters, without secrets.
   */
  readonly description?: string | undefined
}

/**
 * No known credential is accepted. It is the `cause` of a {@link TokenUnavailableError}, and
 * `prepareRotation()` rejects with it. Retryable: each credential is tried again within a minute,
 * and a new one at once.
 */
export class DegradedError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_DEGRADED'
}

/** The credential and the id of a failed rotation. */
export interface CandidateDetails {
  credentialId?: string | undefined
  rotationId?: string | undefined
}

/** The new credential is not accepted; the active one is unchanged. */
export class CandidateRejectedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & CandidateDetails)
  readonly code: 'ERR_CANDIDATE_REJECTED'
  /** As in {@link CredentialStatus.id}. */
  readonly credentialId: string
  readonly rotationId: string
}

/** The new credential was not proved in time, or was withdrawn; the active one is unchanged. */
export class CandidateUnverifiedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & CandidateDetails)
  readonly code: 'ERR_CANDIDATE_UNVERIFIED'
  /** As in {@link CredentialStatus.id}. */
  readonly credentialId: string
  readonly rotationId: string
}

/** Another rotation is open, or has taken this one's place. */
export class RotationConflictError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { rotationId?: string })
  readonly code: 'ERR_ROTATION_CONFLICT'
  /** The id of the rotation that is in the way. */
  readonly rotationId?: string | undefined
}

/**
 * `deadlineMs` of `rotate()` has passed, or the 5 minutes of another call. The work may continue:
 * the same call joins it again.
 */
export class RotationTimeoutError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { rotationId?: string })
  readonly code: 'ERR_ROTATION_TIMEOUT'
  /** What it waited for: an answer of the endpoint, or a durable copy. */
  readonly cause?: FailureCause | NoCustodyError | PersistFailedError | undefined
  /** Absent while the sources are still being read, and from `prepareRotation()`. */
  readonly rotationId?: string | undefined
}

/** There is nothing to rotate or to roll back to. */
export class NoCandidateError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { lookedAt?: readonly string[] })
  readonly code: 'ERR_NO_CANDIDATE'
  /** The ids of the credentials that were looked at. */
  readonly lookedAt: readonly string[]
}

/**
 * The new credential was proved, but has no durable copy: it would be lost with the process. As the
 * `cause` of a {@link RotationTimeoutError} it has no ids.
 */
export class NoCustodyError extends RotorError {
  constructor(message: string, details?: ErrorDetails & CandidateDetails)
  readonly code: 'ERR_NO_CUSTODY'
  /** As in {@link CredentialStatus.id}. */
  readonly credentialId?: string | undefined
  readonly rotationId?: string | undefined
  /** Why not, if a `persist` was tried. */
  readonly cause?: PersistFailedError | undefined
}

/**
 * A `persist` failed. It is the `cause` of other errors. Retryable: it is tried again, unless the
 * message says otherwise.
 */
export class PersistFailedError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_PERSIST_FAILED'
}

/** Something was asked of a fleet, but nothing is shared between processes. */
export class NoFleetError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { rotationId?: string })
  readonly code: 'ERR_NO_FLEET'
  readonly rotationId?: string | undefined
}

/** The previous credential is still needed. */
export class RetireBlockedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { missing?: Missing })
  readonly code: 'ERR_RETIRE_BLOCKED'
  readonly missing: Missing
}

/**
 * A request that an adapter sent was refused. It cannot be repeated, since its body was a stream
 * that has been read.
 */
export class BodyConsumedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_BODY_CONSUMED'
  /** The status of the refusal: 401, or 403 with `invalid_token`. */
  readonly status: number
}

/** There is no key to sign or verify with. PagerDuty drops a webhook for good on a 4xx. */
export class NoKeyError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_NO_KEY'
  /** The HTTP status to answer with: 503. */
  readonly status: number
}

/** A request has no signature, or not what belongs to it. */
export class SignatureMissingError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_SIGNATURE_MISSING'
  /** The HTTP status to answer with: 400. */
  readonly status: number
}

/** A signature is none of the scheme. */
export class SignatureMalformedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_SIGNATURE_MALFORMED'
  /** The HTTP status to answer with: 400. */
  readonly status: number
}

/** A signature was made too long ago, or too far in the future. */
export class SignatureExpiredError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_SIGNATURE_EXPIRED'
  /** The HTTP status to answer with: 400. */
  readonly status: number
}

/** No known key made the signature of these bytes. */
export class SignatureMismatchError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_SIGNATURE_MISMATCH'
  /** The HTTP status to answer with: 401, with the scheme `pagerduty` 403. */
  readonly status: number
}

/** The body is not what was sent: a framework has parsed it. */
export class SignatureBodyParsedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_SIGNATURE_BODY_PARSED'
  /** The HTTP status to answer with: 500. */
  readonly status: number
}

/** The body of a request could not be kept, by `oauth-rotor/raw-body`. */
export class RawBodyError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_RAW_BODY'
  /** 413: larger than the limit, 415: it has a `Content-Encoding`, 400: no JSON, or aborted. */
  readonly status: number
}
