/**
 * oauth-rotor: an OAuth 2.0 client-credentials token (RFC 6749 §4.4) that is always there.
 *
 * A native thread fetches the token before anybody waits for it and refreshes it before it expires,
 * even while the event loop is blocked. All durations are whole milliseconds; all instants are
 * `Date`s, each with its local text.
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

// Only what says so is exported; without this line a declaration file exports all that it declares.
export {}

declare global {
  // As in lib.esnext.disposable, for projects whose `lib` is older.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
}

// ------------------------------------------------------------------------------------- the manager

/**
 * What code that only uses tokens needs: take this in your signatures. `fakeTokens()` of
 * `oauth-rotor/testing` has it too, and so may mocks of your own.
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
 * Holds one valid token and keeps it so.
 *
 * An idle manager never keeps the process alive; a pending call does, be it `getToken()` or the `until()` of
 * a rotation. Managers with the same `name` share one token across all worker threads of the process;
 * without a name nothing is shared.
 *
 * A manager that nobody refers to any more is closed when it is garbage-collected, but not while a
 * call waits on it or a listener is attached.
 *
 * Its methods are called on it: hand on `() => tokens.getToken()`, not `tokens.getToken`.
 */
export class TokenManager implements TokenSource {
  /**
   * Checks all options at once and starts to fetch in the background. Nothing is read from files or
   * the network before it returns; environment variables are, and the directory of a file that `persist`
   * names is looked for.
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
   * Resolves when the first token is held. Optional: `getToken()` waits by itself. It may be called
   * again.
   *
   * Rejects at once when every credential is rejected or the request is misconfigured
   * (`ERR_TOKEN_UNAVAILABLE`, with the reason as `cause`) or when a required source cannot be read
   * (`ERR_CREDENTIAL_UNAVAILABLE`); else after `timeoutMs` (`ERR_TOKEN_UNAVAILABLE`), while the fetch
   * goes on. With a `signal` and no `timeoutMs` it waits until the signal is aborted, and rejects with
   * `signal.reason`. Also rejects with `ERR_INVALID_ARGUMENT` and `ERR_CLOSED`. It holds the process
   * while it waits.
   *
   * @example
   * await tokens.ready({ timeoutMs: 30_000 })
   * server.listen(8080)
   */
  ready(options?: ReadyOptions): Promise<void>

  /**
   * A valid access token. While one is held this costs no more than a promise; otherwise it waits
   * for the fetch, at most `acquireTimeoutMs`. An abort ends only this caller's wait, never the
   * fetch that others wait for.
   *
   * Never throws; rejects with
   * - `ERR_TOKEN_UNAVAILABLE` when there is none in time; `cause` says why, `retryAfterMs` when to
   *   ask again,
   * - `ERR_LIFETIME_TOO_SHORT` when even a fresh token lives shorter than `minValidityMs`,
   * - `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`, or `signal.reason` (an aborted signal wins over a held
   *   token).
   *
   * @example
   * const response = await fetch(url, { headers: { authorization: `Bearer ${await tokens.getToken()}` } })
   */
  getToken(options?: GetTokenOptions): Promise<string>

  /** The token that is held now, or undefined. Never waits and never fetches. */
  peek(): string | undefined

  /**
   * Tells that a resource answered 401 to this token (RFC 6750 §3.1). It is dropped, and another
   * one fetched, only if it is the one that is held: a late 401 to an older token does nothing.
   *
   * Dropping is limited: a second report within min(10 s, 10 % of the token's life) of the last one
   * that counted, for a token younger than that, keeps the token and raises `invalidate-ignored` (at most
   * once a second). A resource that answers 401 for reasons of its own must not cause a storm of token
   * requests.
   *
   * @returns Whether this call dropped it. False, too, when another call had told of it already: repeat
   * the request once, whatever this says.
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
   * Makes another credential the active one, without a failed request: it is proved with a real token
   * request, promoted together with its token in one step, and the one that was active stays a fallback
   * for `overlapMs`. Resolves once it is promoted, after the events that tell how; `until()` of what it
   * resolves to waits for more.
   *
   * Without `clientSecret` it reads the sources again and takes the first configured credential that is
   * neither active nor previous nor retired; while a rotation is open it joins that one. Naming the
   * active credential resolves at once, naming the previous one rolls back. Before the first token the
   * named credential is tried first of all.
   *
   * A secret that was proved is not forgotten when `persist` fails: it takes over as soon as the active one
   * is rejected, and is written when that works again.
   *
   * A wrong secret changes nothing: it is given up after 3 rejections over at least 5 s, counted from the
   * end of the provider's `propagationMs`. Answers that say nothing of it (too many requests, an outage)
   * are waited out. `getToken()` is served all the time.
   *
   * Never throws; rejects with
   * - `ERR_CANDIDATE_REJECTED` when the endpoint or `verify` does not accept it, or grants it less scope,
   * - `ERR_CANDIDATE_UNVERIFIED` when nothing proved it within 10 minutes, or it was withdrawn,
   * - `ERR_ROTATION_CONFLICT` when another rotation is open (unless `supersede`) or took this one's place,
   * - `ERR_RETIRE_BLOCKED` when it cannot supersede yet, or could not in time,
   * - `ERR_NO_CANDIDATE` when nothing is configured that it could take,
   * - `ERR_NO_CUSTODY` when it was proved, no `persist` could keep it within 10 minutes, and the active
   *   credential still works; the new one stays a fallback in memory,
   * - `ERR_ROTATION_TIMEOUT` after `deadlineMs`, or `signal.reason`: both end only this caller's wait. The
   *   rotation goes on while another caller waits or a source yields the credential. `cause` says what
   *   it waits for,
   * - `ERR_INVALID_ARGUMENT`, before anything has happened, and `ERR_CLOSED`.
   *
   * @example
   * const rotation = await tokens.rotate({ clientSecret: await vault.read('next-secret') })
   * await rotation.until('retired')
   * console.log(`The old secret may be revoked from ${rotation.safeToRevokeAtLocal} on.`)
   */
  rotate(options?: RotateOptions): Promise<Rotation>

  /** The latest rotation as it is now, or undefined when there was none, and after `close()`. No I/O. */
  rotation(): Rotation | undefined

  /**
   * Fetches a fresh token and has nobody present the active secret, so that a person may replace it at a
   * provider that allows one secret at a time: until `safeUntil` the token bridges the change. It ends
   * when a new credential is proved, by `cancel()`, when the token is dropped, and by itself after 15
   * minutes or where the token's soft window begins; then the active secret is used again. May be called
   * again.
   *
   * Never throws; rejects with `ERR_TOKEN_UNAVAILABLE` when no fresh token can be had,
   * `ERR_LIFETIME_TOO_SHORT` when it lives shorter than `minRunwayMs`, `ERR_ROTATION_CONFLICT` while a
   * rotation is open, `ERR_DEGRADED` while no known credential is accepted, `ERR_ROTATION_TIMEOUT` after 5
   * minutes, `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`, and `signal.reason`.
   *
   * @example
   * const preparation = await tokens.prepareRotation({ minRunwayMs: 10 * 60_000 })
   * console.log(`Press Regenerate before ${preparation.safeUntilLocal}.`)
   * await tokens.rotate({ clientSecret: await ask('The new secret?') })
   */
  prepareRotation(options?: PrepareRotationOptions): Promise<Preparation>

  /**
   * Has all sources of credentials read again, now instead of after `sourcePollMs`. What they yield
   * is told by the event `source`. After `close()` it does nothing.
   */
  reload(): void

  /** What is known now, for people and logs. No I/O; no token and no secret in it. */
  status(): TokenManagerStatus

  /**
   * Whether it is well, for probes and alerts. No I/O. `live` is for a liveness probe, `ready` for a
   * readiness probe, `problems` for alerts: they tell of tomorrow's outage, too.
   */
  health(): TokenManagerHealth

  /**
   * What has happened since the manager was opened, in numbers, for monitoring. No I/O. Managers of
   * one name count together. After `close()`, what it had counted until then.
   * `oauth-rotor/prometheus` turns it into metrics of prom-client.
   */
  metrics(): TokenManagerMetrics

  /**
   * Calls `listener` on every event of this name. A listener that throws keeps the event from nobody
   * else; what it throws becomes an uncaught exception, and what an asynchronous one rejects with an
   * unhandled rejection. A manager is no `EventEmitter`: `events.once()` does not take it.
   *
   * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` when there is no such event or `listener` is
   * not a function; so do `once` and `off`.
   */
  on<Name extends keyof RotorEvents>(event: Name, listener: (payload: RotorEvents[Name]) => void): this
  /** Calls `listener` on the next event of this name. */
  once<Name extends keyof RotorEvents>(event: Name, listener: (payload: RotorEvents[Name]) => void): this
  /** Stops calling `listener`. */
  off<Name extends keyof RotorEvents>(event: Name, listener: (payload: RotorEvents[Name]) => void): this

  /**
   * Ends the use of this manager within 1 s. Pending calls reject with `ERR_CLOSED`, as later ones
   * do. No event is told any more. The last manager of a name ends the refreshes. May be called
   * again.
   */
  close(): Promise<void>

  /** {@link TokenManager.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>

  /** What loggers and `console.log` show. No token and no secret in it. */
  toJSON(): TokenManagerHealth & { name: string | undefined; closed: boolean }
}

/** Options of {@link TokenManager.ready}. */
export interface ReadyOptions {
  /**
   * How long to wait, in ms. 1 to 3,600,000. Default `acquireTimeoutMs`; with a `signal`, until that is
   * aborted.
   */
  timeoutMs?: number | undefined
  /** Ends the wait; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** Options of {@link TokenManager.getToken}. */
export interface GetTokenOptions {
  /**
   * How much life the token must have left, in ms; a number from 0. Default: whatever the held one has, above
   * `expiryMarginMs`.
   */
  minValidityMs?: number | undefined
  /** Ends the wait; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** Options of {@link TokenManager.rotate}. An unknown key is an error. */
export interface RotateOptions {
  /** The new secret. Left out: the configured candidate. An `undefined` (a misspelt variable) is an error. */
  clientSecret?: string
  /** Its client id, for a change to another client (blue/green). Default: the active credential's. */
  clientId?: string | undefined
  /** A name for people, in events and `status()`. 1 to 128 characters. Default: none. */
  label?: string | undefined
  /** When the provider lets the new secret end. See {@link Credential.expiresAt}. */
  expiresAt?: Instant | undefined
  /**
   * Names this rotation: several callers that give the same id, at the same time or one after the
   * other, get the same rotation, while it is open and as long as its credential is active. It is shown
   * in events. 1 to 128 characters. Default: `r-` and the credential's id, so that every instance may be
   * told the same secret.
   */
  rotationId?: string | undefined
  /**
   * How long this call waits, in ms; then `ERR_ROTATION_TIMEOUT`. 1,000 to 3,600,000. Default 300,000
   * (5 min).
   */
  deadlineMs?: number | undefined
  /**
   * A request that has to succeed with the new token before it is promoted: a GET with it as Bearer.
   * 2xx proves the credential, 401 and 403 reject it, after anything else (a redirect, too) it is tried
   * again. One that was rejected has to pass it also when it is tried again later, until a `rotate()`
   * names it without. Default: none.
   *
   * @example verify: { url: 'https://api.mypurecloud.com/api/v2/tokens/me' }
   */
  verify?: VerifyOptions | undefined
  /**
   * Takes the place of a rotation that is open with another credential. One that is not promoted yet
   * gives way, and its caller gets `ERR_ROTATION_CONFLICT`. Of one that is, the previous credential stays
   * a fallback until this one is proved, and is retired with the promotion, under the same conditions as
   * by `retireNow()`; when this one is given up, the overlap goes on as before. Default: false.
   */
  supersede?: boolean | undefined
  /**
   * The active credential has leaked: with the promotion it is retired at once, and its tokens are
   * dropped. No source brings it back, only a `rotate()` naming it. Default: false.
   */
  compromised?: boolean | undefined
  /** Ends the wait; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** A request with the token of a candidate. */
export interface VerifyOptions {
  /** https, or http for this machine. No user name and no password. */
  url: string | UrlLike
}

/** Options of {@link TokenManager.prepareRotation}. */
export interface PrepareRotationOptions {
  /**
   * How long the fresh token must live, in ms. 0 to 38,880,000,000. Default 0: as long as it does.
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
   * Managers of one name, in all threads of the process, share one token. Their options must agree, but
   * for `timeZone`, `strict` and `credentials`. The latter are put together: the token may come from
   * another manager's.
   *
   * A name is a capability. Whoever opens a manager of this name with equal options gets the token, may
   * invalidate it and may rotate the credential, whatever credentials it brings, wrong ones included.
   * So tenants need a name each, or none, and a name is nothing to take from a request.
   *
   * 1 to 128 characters. Default: none, nothing is shared.
   */
  name?: string | undefined

  /** Where tokens come from: {@link genesysCloud}, {@link pagerDuty} or {@link oauth2}. */
  provider: Provider

  /**
   * What to authenticate with: one, or a list of 1 to 1,000 whose first is the current one. When the
   * endpoint rejects one, the next is tried at once.
   *
   * @example
   * credentials: [
   *   fromEnv('CLIENT_ID', 'CLIENT_SECRET'),
   *   { label: 'next', clientId: 'app', clientSecret: fromEnv('NEXT_SECRET'), optional: true },
   * ]
   */
  credentials: CredentialEntry | readonly CredentialEntry[]

  /**
   * How long before its expiry a token is refreshed, in ms; at most half of its life. 0 to
   * 38,880,000,000. Default: the smaller of 600,000 (10 min) and 25 % of the token's life. A
   * `refresh_in` in the answer takes precedence.
   */
  refreshBeforeMs?: number | undefined

  /**
   * By which part of that window a refresh may come earlier, at random; never later. 0 to 1.
   * Default 0.1.
   */
  jitterRatio?: number | undefined

  /**
   * A token is not handed out closer than this to its expiry, in ms. 0 to 3,600,000, less than
   * `maxTokenAgeMs`. Default: the smaller of 30,000 and 5 % of the token's life.
   */
  expiryMarginMs?: number | undefined

  /**
   * A token is used for at most so long, in ms, whatever `expires_in` says: for a provider that
   * ends tokens early. 1,000 to 38,880,000,000. Default: none.
   */
  maxTokenAgeMs?: number | undefined

  /**
   * A token is refreshed before less than this is left of it, in ms; at most half of its life. 0 to
   * 38,880,000,000, at most half of `maxTokenAgeMs`. Default: none.
   */
  minRunwayMs?: number | undefined

  /**
   * How long `getToken()` and `ready()` wait while there is no token, in ms. 1 to 3,600,000.
   * Default 5,000. The fetch goes on after that.
   */
  acquireTimeoutMs?: number | undefined

  /**
   * How long one token request may take, connecting included, in ms. 1 to 3,600,000. Default
   * 10,000.
   */
  requestTimeoutMs?: number | undefined

  /**
   * How often files, functions and environment variables that yield credentials are read again, in ms. 10
   * to 86,400,000. Default 10,000. While no token is held, files and variables are read every second and functions
   * called every 5 s, if that is more often. Managers that read equally often do so at the same instants, so
   * the second reading may come sooner.
   */
  sourcePollMs?: number | undefined

  /**
   * How long a credential that was replaced stays a fallback, in ms. 1,000 to 604,800,000 (7 days).
   * Default: the remaining life of the old token, but at least 300,000 (5 min) and at most 3,600,000
   * (1 h).
   */
  overlapMs?: number | undefined

  /**
   * How long one attempt of `persist` may take, in ms; then it counts as failed and is tried again. A
   * function's `signal` is aborted then. 100 to 3,600,000. Default 30,000.
   */
  persistTimeoutMs?: number | undefined

  /**
   * A token is refreshed after so long at the latest, in ms, so that a dead secret is noticed hours and not
   * minutes before the token's end. It is an ordinary refresh: when it fails, the held token stays. 60,000
   * to 38,880,000,000; 0: only when a refresh is due. Default 21,600,000 (6 h).
   */
  proveEveryMs?: number | undefined

  /**
   * The IANA time zone of the local texts, such as `'America/Sao_Paulo'`. Default: the system's.
   */
  timeZone?: string | undefined

  /**
   * Compares the wall clock on every call, so that an expired token is not handed out even in the
   * second after a suspended process wakes, or in the minute after one was restored from a checkpoint.
   * Default: false, and true where `AWS_LAMBDA_FUNCTION_NAME` is set.
   */
  strict?: boolean | undefined

  /**
   * A clock that a test turns by hand, made by `createClock()` of `oauth-rotor/testing`. Managers of
   * one name must be on the same one. Default: the machine's.
   */
  clock?: Clock | undefined
}

/**
 * Where tokens come from. Made by {@link genesysCloud}, {@link pagerDuty} or {@link oauth2}; shows
 * none of its options.
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
   * Further parameters of the token request. Not `grant_type`, nor those that have an option of
   * their own or authenticate the client. Default: none.
   */
  params?: { readonly [name: string]: string } | undefined
  /**
   * The life of a token whose answer has no `expires_in`, in ms. 1,000 to 38,880,000,000. Default
   * 300,000 (5 min).
   */
  defaultLifetimeMs?: number | undefined
  /**
   * Takes `defaultLifetimeMs` for the life of every token, whatever `expires_in` says: for a server that says 0 or
   * -1 and means a token without end. Default: false, such a token is refused (`ERR_MISCONFIGURED`).
   */
  ignoreExpiresIn?: boolean | undefined
  /**
   * Takes every token for a bearer token, whatever its `token_type` says: for a server that calls it `BearerToken`
   * or `Application Access Token`. Default: false, another type than Bearer is refused (RFC 6749 §7.1). One that is
   * missing or empty is taken in any case.
   */
  treatAsBearer?: boolean | undefined
  /**
   * Codes of errors by which the server means that client id or secret are wrong, besides `invalid_client` and
   * those that docs/options.md lists: the next credential is tried then. Each 1 to 128 visible ASCII characters
   * without a colon; capitals, `-`, `.` and blanks count as small letters and `_`. Default: none.
   *
   * @example rejectedErrors: ['unknown_application']
   */
  rejectedErrors?: readonly string[] | undefined
  /**
   * The `User-Agent` of all requests (RFC 9110 §10.1.5): of those for tokens, of `verify`, and of those to a proxy. 1
   * to 256 visible ASCII characters, with blanks between them. Default: `oauth-rotor/` and its version.
   *
   * @example userAgent: 'acme-webhooks/1.2 (ops@acme.example)'
   */
  userAgent?: string | undefined
  /**
   * How long the provider takes to make a new secret known to all of its servers, in ms: rejections
   * of a credential that appeared within this time do not count. 0 to 3,600,000. Default 0, 10,000
   * for {@link genesysCloud}.
   */
  propagationMs?: number | undefined
  /** Certificates, as PEM text. Default: the system's trusted roots and no client certificate. */
  tls?: TlsOptions | undefined
  /**
   * The URL of an HTTP proxy (`http:` or `https:`, may hold a user name and password), or `false`
   * for none. Default: what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, by the rules of
   * curl. Never used for this machine's own addresses.
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
   * Certificate authorities to trust instead of the system's, each PEM text with one or more certificates. A
   * server's own self-signed certificate may be one of them: the server is trusted when it presents exactly that
   * one, for its name and within its dates.
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
         * process warning of code `OAUTH_ROTOR_API_HOST`. For tests, a URL of this machine, such as
         * `'http://127.0.0.1:4000'`.
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
 * @example oauth2({ tokenUrl: 'https://idp.example.com/oauth2/token', audience: 'https://api.example.com' })
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
 * A text, or where it is read from. One trailing line break is dropped from what a source yields, and so is
 * the byte order mark at the beginning of a file. What no client id or secret has is an error that names
 * the file or variable: control characters, invisible characters (a zero-width space), blanks other than
 * a plain space (a non-breaking space), blanks at the beginning or end.
 */
export type Field = string | FieldSource | (() => FieldValue | Promise<FieldValue>)

/** What a function yields for a field. Nothing or an empty text: the last value stays in use. */
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
 * An instant from the year 2000 to 9999: a `Date`, an ISO 8601 text with its offset
 * (`'2027-01-31T00:00:00Z'`; a day alone is UTC; a date that does not exist is an error), or milliseconds
 * since 1970.
 */
export type Instant = Date | string | number

/** What a function yields for an entry. Nothing or an empty list: the last value stays in use. */
export type CredentialValue = CredentialText | readonly CredentialText[] | null | undefined

/** A client id with its secret, each a text or a source. */
export interface Credential {
  /** A name for people, in events and `status()`. 1 to 128 characters. Default: none. */
  label?: string | undefined
  /** The OAuth client id (RFC 6749 §2.2). Not secret. */
  clientId: Field
  /** The OAuth client secret (RFC 6749 §2.3.1). */
  clientSecret: Field
  /** It may be missing. Default: false, a source that yields nothing is an error. */
  optional?: boolean | undefined
  /**
   * When the provider lets the secret end; it is told of by the event `credential-expiring` 30 days, 7
   * days and 1 day before, and when it has. Nothing else depends on it. Default: not known.
   */
  expiresAt?: Instant | undefined
  /**
   * Where the credential that replaces this one is written to, so that a restarted process has it:
   * {@link envFile}, {@link secretFile}, or a function. Variables of `fromEnv` are written in any case, in
   * `process.env` of each environment. What the new credential itself came from is not written.
   *
   * A file whose entry reads its secret from an environment variable also comes before that variable: it
   * is read once, at the start, and its credential is tried first. The variable's stays a fallback. So a
   * process that is started again with its old environment has the new secret. A file that is missing,
   * incomplete or unreadable counts as absent. Where it was accepted and the variables hold another
   * credential, a process warning with the code `OAUTH_ROTOR_STALE_VARIABLE` says so.
   *
   * A function is called once per promotion. It gets the new credential and `{ signal }`, and its promise
   * resolves when that is kept. When it fails, or takes longer than `persistTimeoutMs`, it is called again
   * after 10 s, but not while a call with the same credential has not settled; a late success counts. The
   * old credential is not retired before it has succeeded. With an error whose `code` is `EROFS`, `EBUSY`,
   * `EACCES` or `EPERM` it is given up. Of the error only its name and its code, or its cause's, are passed
   * on.
   *
   * The directory of a file has to exist, or the constructor throws `ERR_INVALID_OPTION`. Default: for a
   * secret that is read by {@link fromEnvFile}, that file; else none. `false`: none.
   *
   * @example
   * persist: async ({ clientSecret }, { signal }) => {
   *   await vault.write('pagerduty/oauth', { secret: clientSecret }, { signal })
   * }
   */
  persist?: Sink | PersistFunction | false | undefined
}

/**
 * One entry of the list of credentials. A function is called at the start, every `sourcePollMs`, on
 * `reload()`, and when the endpoint has rejected every known credential. When it throws, only the
 * error's name and its code, or its cause's, are passed on: its message may hold a secret. One that has not answered after
 * `acquireTimeoutMs` is left out until it does. It must not wait for a token of its own manager, which
 * waits for it.
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
 * which throws `ERR_INVALID_OPTION` when one is missing, and again every `sourcePollMs`.
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
 * A file that holds a field, read in the background, again every `sourcePollMs`. A relative path is resolved
 * when this is called.
 *
 * It has to be a regular file, reached through any links: a pipe, a socket or a device is never opened, and is
 * an error that says so. So is a link of another user in a directory that anybody may write to, such as
 * `/tmp`, unless the directory is that user's. This holds for every file that this package reads or writes.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `path` is not one.
 * @example { clientId: 'app', clientSecret: fromFile('/run/secrets/client') }
 */
export function fromFile(path: string | UrlLike): FieldSource

/**
 * Two files of one directory, such as a mounted Kubernetes secret. Its `..data` link is resolved
 * once for both, so client id and secret always belong together.
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
 * variables at once, and again every `sourcePollMs`. A new secret is written back to it, unless the entry
 * is written as two fields and has `persist`.
 *
 * It is read as `dotenv` and as Node.js (`--env-file`) read it; a variable that they read differently is an
 * error. Nothing is expanded: `$` stands for itself. A relative path is resolved when this is called.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `path` is not one or the names are not those of
 * two variables (letters, digits, `_`, `.` and `-`).
 * @example fromEnvFile('/srv/app/.env', { clientId: 'GC_CLIENT_ID', clientSecret: 'GC_CLIENT_SECRET' })
 */
export function fromEnvFile(
  path: string | UrlLike,
  variables: { clientId: string; clientSecret: string },
): CredentialSource
/**
 * One variable of a dotenv file that holds a field. Two fields of one entry that name the same file are
 * read at once. A new secret is written back to the file of `clientSecret`, and its client id where
 * `clientId` is a variable of the same file, unless the entry has `persist`.
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

/** What a {@link PersistFunction} gets besides. */
export interface PersistContext {
  /** Aborted when `persistTimeoutMs` has passed: give up, so that it can be tried again. */
  readonly signal: GlobalAbortSignal
}

/** The `AbortSignal` of the project's libraries, where they have one. */
type GlobalAbortSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : AbortSignalLike

/** What a {@link PersistFunction} gets. */
export interface PromotedCredential {
  /** As in {@link CredentialStatus.id}. */
  credentialId: string
  label?: string | undefined
  clientId: string
  clientSecret: string
}

/**
 * Two variables of a dotenv file. Both are written in one atomic rename; comments, order, mode (without set-uid,
 * set-gid and sticky bits), owner, group and, on Linux, the POSIX access control list are kept. A new file has the mode
 * 0600. Until it takes its place nobody else can read it. A relative path is resolved when this is called.
 *
 * In a directory that anybody may write to, such as `/tmp`, a file of another user is not written
 * (`persisted: 'impossible'`).
 *
 * Without `clientId` only the secret is written: for an entry whose client id is fixed. The secret of
 * another client is not written there then (`persisted: 'impossible'`), since the file could not say whose
 * it is.
 *
 * `dotenv`, Node.js (`--env-file`) and a shell that sources the file read the same value, and the shell runs
 * nothing of it. A value that no quotes carry through all three, one with an apostrophe together with `"`, `$`,
 * a backtick or a backslash, is not written (`persisted: 'impossible'`), nor is one that is not plain below an
 * odd quote: then use {@link secretFile}.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `path` is not one or the names are not those of
 * two variables (letters, digits, `_`, `.` and `-`).
 * @example persist: envFile('.env', { clientId: 'GC_CLIENT_ID', clientSecret: 'GC_CLIENT_SECRET' })
 */
export function envFile(
  path: string | UrlLike,
  variables: { clientId?: string | undefined; clientSecret: string },
): Sink

/**
 * A file that holds the secret and nothing else, replaced by an atomic rename. The client id is not
 * written, and the secret of another client than the entry's neither (`persisted: 'impossible'`). A relative
 * path is resolved when this is called.
 *
 * @throws {InvalidOptionError} `ERR_INVALID_OPTION` when `path` is not one.
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
 * Whether a promoted credential was written back: there is nowhere to write to, not everywhere yet,
 * wherever it is possible, nowhere possible.
 */
export type Persisted = 'none' | 'pending' | 'done' | 'impossible'

/** What a rotation has in every phase. Local texts are as in {@link TokenManagerStatus}. */
export interface RotationFacts {
  /** See {@link RotateOptions.rotationId}. */
  readonly rotationId: string
  /** Grows by one whenever another credential becomes active. */
  readonly generation: number
  /** What this rotation is about. */
  readonly candidate: CredentialName
  /** What tokens are fetched with. */
  readonly active: CredentialName
  readonly persisted: Persisted
  /** What it waits for; empty when it waits for nothing any more. */
  readonly waitingFor: readonly WaitingFor[]
}

/** Something that a rotation waits for. */
export interface WaitingFor {
  /**
   * - `'proof'`: the token endpoint (or `verify`) has to accept a credential,
   * - `'custody'`: something beyond this process has to keep the candidate,
   * - `'members'`: live members of the fleet have to move,
   * - `'sinks'`: the active credential has to be written back,
   * - `'time'`: the overlap goes on until `retireNotBefore`; nothing is wrong.
   */
  readonly code: 'proof' | 'custody' | 'members' | 'sinks' | 'time'
  /** What it is, why, and what to do. */
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

/** The candidate is active; the credential that was stays a fallback. */
export interface OverlapRotation extends RotationFacts {
  readonly phase: 'overlap'
  /** The fallback. */
  readonly previous: CredentialName
  /** The previous credential is retired then at the earliest. */
  readonly retireNotBefore: Date
  readonly retireNotBeforeLocal: string
  /** No token that was made with the previous credential lives longer. */
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
  /** No token that was made with the previous credential lives longer; null where there was none. */
  readonly safeToRevokeAt: Date | null
  readonly safeToRevokeAtLocal: string | null
  readonly reason: null
}

/** The candidate was active, and another credential took over again. */
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
  /** Why; `ERR_ROTATION_CONFLICT` where another rotation took its place. */
  readonly reason:
    | 'ERR_CANDIDATE_REJECTED'
    | 'ERR_CANDIDATE_UNVERIFIED'
    | 'ERR_NO_CUSTODY'
    | 'ERR_RETIRE_BLOCKED'
    | 'ERR_ROTATION_CONFLICT'
}

/** A rotation without its methods, as `status().rotation` has it; `phase` tells which members are there. */
export type RotationSnapshot =
  StagedRotation | OverlapRotation | RetiredRotation | RolledBackRotation | FailedRotation

/** What can be asked of a rotation. */
export interface RotationMethods {
  /**
   * Resolves, with the rotation as it is then, when
   * - `'everywhere'`: every live member of the fleet uses the new credential; without a store there is no
   *   fleet, and it rejects with `ERR_NO_FLEET` at once,
   * - `'persisted'`: it has been written back, or never will: `persisted` is not `'pending'` any more,
   * - `'retired'`: no previous credential is left.
   *
   * Never throws. After a rollback `'retired'` rejects with `ERR_ROTATION_CONFLICT`, and each
   * does when the candidate is given up before it is active. Also rejects with `ERR_INVALID_ARGUMENT`,
   * `ERR_CLOSED`, and `signal.reason`.
   */
  until(what: 'everywhere' | 'persisted' | 'retired', options?: WaitOptions): Promise<Rotation>

  /**
   * Makes the previous credential the active one again, when it is still accepted. The other one is its
   * fallback then.
   *
   * Never throws. Rejects with `ERR_NO_CANDIDATE` when no previous credential is left,
   * `ERR_CANDIDATE_REJECTED` when it is not accepted any more, `ERR_ROTATION_CONFLICT` when another
   * rotation has taken this one's place or is being proved to do so, `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`,
   * and, which end only this wait, with `ERR_ROTATION_TIMEOUT` after 5 minutes without a clear answer, and
   * `signal.reason`.
   */
  rollback(options?: WaitOptions): Promise<Rotation>

  /**
   * Retires the previous credential now instead of at `retireNotBefore`: it is never presented again.
   * The active one is proved once more before that, if its last proof is older than a minute.
   *
   * Never throws. Rejects with `ERR_RETIRE_BLOCKED`, naming what is `missing`, `ERR_ROTATION_CONFLICT` when
   * another rotation has taken this one's place or the active credential fails meanwhile, so that the
   * previous one is needed, `ERR_ROTATION_TIMEOUT` after 5 minutes without that proof,
   * `ERR_INVALID_ARGUMENT`, `ERR_CLOSED`, and `signal.reason`. Where the wait has ended without it, the
   * previous one stays until `retireNotBefore`.
   *
   * @example await tokens.rotation()?.retireNow()
   */
  retireNow(options?: RetireNowOptions): Promise<Rotation>
}

/**
 * A rotation as it was when this was made; `tokens.rotation()` has it as it is. `phase` tells which
 * members are there. No secret and no token in it.
 *
 * @example
 * const rotation = tokens.rotation()
 * if (rotation?.phase === 'overlap') console.log(`a fallback until ${rotation.retireNotBeforeLocal}`)
 */
export type Rotation = RotationSnapshot & RotationMethods

/** Options of {@link RotationMethods.until} and {@link RotationMethods.rollback}. */
export interface WaitOptions {
  /** Ends the wait, nothing else; the promise rejects with its `reason`. */
  signal?: AbortSignalLike | undefined
}

/** Options of {@link RotationMethods.retireNow}. */
export interface RetireNowOptions extends WaitOptions {
  /**
   * Although members of the fleet have not moved, or the new credential was not written back. Default:
   * false. Never without the proof.
   */
  force?: boolean | undefined
}

/** What {@link TokenManager.prepareRotation} resolves to. */
export interface Preparation {
  /** The fresh token lives until then: the new credential has to be active before. */
  readonly safeUntil: Date
  readonly safeUntilLocal: string
  /** The ids of those members of the fleet that hold the fresh token. Absent where nothing is shared. */
  readonly membersReady?: readonly string[] | undefined
  /** Of those that do not (yet). Absent where nothing is shared: prepare in each process. */
  readonly membersNotReady?: readonly string[] | undefined
  /**
   * What would keep a new secret that `rotate()` is told: a file that was tried just now or a function that
   * has kept one before (`'kept'`), a function that was never called (`'untested'`), nothing (`'none'`: put
   * the new secret where the service reads it from).
   */
  readonly custody: 'kept' | 'untested' | 'none'
  /** Ends the preparation: the active secret is used again. Rejects with `ERR_CLOSED` only. */
  cancel(): Promise<void>
}

/** What stands between a previous credential and its retirement. */
export interface Missing {
  /** The active credential was not accepted lately; it is being tried. */
  readonly proof: boolean
  /** Members of the fleet that have not seen the promotion. */
  readonly acks: readonly string[]
  /** Members of the fleet that do not hold the active credential. */
  readonly holders: readonly string[]
  /** Entries, by their position in the list of credentials from 0, whose `persist` has not succeeded. */
  readonly sinks: readonly number[]
  /** No `persist` could be carried out, and nothing else keeps the active credential. */
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
   * Where the life of the credentials stands; null after `close()`. docs/rotation.md explains the phases.
   */
  phase: CredentialPhase | null
  /**
   * Grows by one whenever another credential becomes active. Null while `phase` is `'starting'`, and after
   * `close()`.
   */
  generation: number | null
  /** The token that is held, or null. */
  token: TokenStatus | null
  /**
   * All known credentials: those that are tried, in that order, then the others. Of a retired one that no
   * source yields any more the secret is wiped from memory, and only the name is left. Until their ids are
   * derived, `role` tells what each is about to be.
   */
  credentials: CredentialStatus[]
  /** The source of each entry of this manager's `credentials`, in their order. */
  sources: SourceStatus[]
  /** The latest rotation, or null when there was none. */
  rotation: RotationSnapshot | null
  /** Whether a token request is under way or about to start. */
  refreshing: boolean
  /**
   * When the next token request starts. Null while one is under way, while no credential is known, and
   * after `close()`.
   */
  nextRefreshAt: Date | null
  nextRefreshAtLocal: string | null
  /** The latest failure, or null when there was none since the last success. */
  lastError: LastError | null
  closed: boolean
}

/**
 * No token yet; a credential works and no rotation is open; nobody presents it, for it is about to be
 * replaced; another one is being proved; that one is active, with a fallback; none is accepted.
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
  /** The {@link CredentialStatus.id} of the credential that it was fetched with; null until it is derived. */
  credentialId: string | null
  label?: string | undefined
  clientId: string
}

/** A credential, without its secret. */
export interface CredentialStatus {
  /**
   * 16 hexadecimal digits: the same in every process, and safe to log. To derive it takes 20 ms of CPU time,
   * so it is null until something has needed it: the first `status()`, which does not wait for it, a listener, a
   * subscriber of a diagnostics channel, a failed or rejected request, a changed source, `rotate()` or
   * `prepareRotation()`.
   */
  id: string | null
  label?: string | undefined
  clientId: string
  /** What the token endpoint last said of it. */
  state: 'unknown' | 'accepted' | 'rejected'
  /**
   * What it is to the rotations: tokens are fetched with it; it is being proved; it was active, and the
   * overlap is open; a fallback; rejected while another one was accepted; the candidate after the open
   * rotation; never presented again; not looked at yet.
   */
  role: 'active' | 'next' | 'previous' | 'standby' | 'quarantined' | 'waiting' | 'retired' | 'unknown'
  /** As it was given, or null. */
  expiresAt: Date | null
  expiresAtLocal: string | null
}

/** How the source of an entry is. */
export interface SourceStatus {
  /** The position in the list of credentials, from 0. */
  entry: number
  label?: string | undefined
  /** `'pending'`: never read yet. With `'empty'` and `'unreadable'` its last value stays in use. */
  state: 'ok' | 'pending' | 'empty' | 'unreadable'
  /** Since when it is empty or unreadable; else null. */
  since: Date | null
  sinceLocal: string | null
  /** Why, with the file or variable. */
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
   * For a liveness probe: false only when the native thread was to run and has not for 10 s between two
   * looks. A restart helps then, and never against an endpoint or a credential: do not use `ready` for
   * it, or an outage of the provider restarts every instance.
   */
  live: boolean
  /** For a readiness probe: a token is held, and `getToken()` answers at once. */
  ready: boolean
  /** Something needs attention, though tokens may still be there: there are `problems`. */
  degraded: boolean
  /** The problems as texts, one line each, with since when in local time. Empty while all is well. */
  reasons: string[]
  /** What needs attention, the most urgent first. docs/alerts.md says what to do about each. */
  problems: HealthProblem[]
  /** How long the held token may still be handed out, in ms; 0 without one. */
  tokenRunwayMs: number
}

/** Something that needs attention. It goes with its cause. */
export interface HealthProblem {
  /**
   * - `'thread-stalled'`: the native thread has not run,
   * - `'no-token'`: no token is held,
   * - `'tokens-refused'`: a resource answers 401 to every token,
   * - `'refresh-failing'`: the token cannot be refreshed,
   * - `'degraded'`: no known credential is accepted,
   * - `'credential-rejected'`: the endpoint rejects a credential that is in use,
   * - `'source-unreadable'`, `'source-empty'`: a source yields nothing,
   * - `'source-throttled'`: a source changes so often that its changes are taken up one a second,
   * - `'persist-failing'`, `'persist-impossible'`: a new secret cannot be written back,
   * - `'not-persisted'`: nothing but this process keeps the active credential,
   * - `'awaiting-proof'`, `'awaiting-custody'`, `'awaiting-members'`, `'awaiting-sinks'`: a rotation waits,
   *   and somebody has to see to it,
   * - `'credential-expiring'`, `'credential-expired'`: a credential's `expiresAt` is within a day, or past.
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
  /** What is wrong, with what, and what to do. */
  message: string
  since: Date
  sinceLocal: string
  /** `getToken()` cannot be served because of it. */
  affectsTokens: boolean
}

/** Numbers for monitoring. The counts begin when the manager is opened, and never go back. */
export interface TokenManagerMetrics {
  /** How long the held token may still be handed out, in ms; 0 without one. */
  readonly tokenRemainingMs: number
  /** Refreshes by how they ended: with a token, or with an error of the code that the name stands for. */
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
  /** How long refreshes took, all credentials that were tried included. */
  readonly refreshDurationMs: {
    readonly count: number
    /** In ms. */
    readonly sum: number
    /** Cumulative: `count` refreshes took at most `le` ms. */
    readonly buckets: readonly { readonly le: number; readonly count: number }[]
  }
}

// ------------------------------------------------------------------------------------------ events

/** What every event carries. */
export interface RotorEvent {
  /**
   * Grows with every event. Managers of one name count together, so that an event has the same number
   * with all of them; a source's event is told to its own manager only.
   */
  seq: number
  at: Date
  atLocal: string
  /** The manager's name, where it has one. */
  name: string | undefined
}

/**
 * Events and their payloads; no payload holds a token or a secret. The same are published on
 * `node:diagnostics_channel`, as `oauth-rotor:<event>`.
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
  /** A source of credentials yields something else, nothing, cannot be read, or changes too often. */
  source: SourceEvent
  /** The life of the credentials has taken a step, or waits for somebody. */
  rotation: RotationEvent
  /** A promoted credential was written back, or not. It is told to the manager whose entry it is. */
  persisted: PersistedEvent
  /** A credential is about to end, or has. */
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
  /** When its successor is fetched. */
  refreshAt: Date
  refreshAtLocal: string
}

export interface TokenRetiredEvent extends RotorEvent {
  serial: number
  /**
   * Its successor is here, a 401 was reported for it, its time has come, or its credential has leaked or
   * failed its checks.
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
  /** After this many ms the next report counts. */
  retryAfterMs: number
}

export interface SourceEvent extends RotorEvent {
  /** The position in the list of credentials, from 0. */
  entry: number
  label?: string | undefined
  /**
   * With `'emptied'` and `'unreadable'` its last value stays in use. With `'throttled'` it changes so often
   * that its changes are not told and taken up any more as they come, but one a second: after 10 in a row;
   * a list with many new credentials counts for more, one of 400 for 41. The latest value is taken up in
   * the end. It is told again once it has been as it is for some 10 s, and changes too often again.
   */
  change: 'changed' | 'emptied' | 'unreadable' | 'throttled'
  /** Why it is unreadable or throttled. */
  message?: string | undefined
}

export interface RotationEvent extends RotorEvent {
  /**
   * - `'started'`: the first credential was accepted (told with the first listener, if that comes later),
   * - `'prepared'`, `'preparation-ended'`: see {@link TokenManager.prepareRotation},
   * - `'staged'`: a candidate is being proved,
   * - `'promoted'`: it is active,
   * - `'candidate-rejected'`, `'candidate-withdrawn'`: it is not, nor will be,
   * - `'substituted'`: the active credential was rejected, and another one took over,
   * - `'fell-back'`: so it was soon after a promotion,
   * - `'abandoned'`: no live member of the fleet holds the new one any more, and the previous one took over,
   * - `'rolled-back'`: the previous one is active again, because that was asked for,
   * - `'retired'`: the previous one is never presented again,
   * - `'overdue'`: it should be, and something is `missing`,
   * - `'degraded'`, `'recovered'`: no known credential is accepted, one is again,
   *
   * and without a change of `phase`
   * - `'awaiting-proof'`: the endpoint, or `verify`, has given no clear answer about the candidate, which is
   *   tried again; `error` says why. Once for each kind of answer, not for each attempt,
   * - `'awaiting-custody'`: the candidate is proved, and nothing but this process keeps it, even after
   *   every `persist` was tried once. Once for each reason,
   * - `'not-persisted'`: so it is with the one that was promoted: it is lost with the process,
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
  /** Why the candidate was given up. `next` and `rotationId` belong to that candidate. */
  reason?: GivenUp | undefined
  /** With `'awaiting-proof'`, and with a candidate that was given up, where something has failed. */
  error?: RotorError | undefined
  /** What happened, with which credential, and what to do. */
  message: string
}

/**
 * Why a candidate was given up: it was rejected; nothing proved it within 10 minutes; it was proved and nothing
 * kept it; it was proved and the rotation before could not end; another rotation took its place; its source
 * yields the active credential again; nobody waits for it and no source yields it; no member holds it.
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
  /** After `'failed'` it is tried again by itself, after `'impossible'` by `rotate()` with the same secret. */
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
  /** Which of the warnings this is; 0 when it has ended. */
  daysLeft: 30 | 7 | 1 | 0
}

// ------------------------------------------------------------------------------------------ errors

/**
 * The codes of all errors. They never change their meaning; messages are for people and may change.
 * docs/errors.md tells what to do about each.
 */
export type RotorErrorCode = AnyRotorError['code']

/** Every error of this package, told apart by `code`. */
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

/**
 * What the token endpoint's answer, or its absence, means: the `cause` of a {@link
 * TokenUnavailableError}.
 */
export type EndpointCause = CredentialRejectedError | MisconfiguredError | ThrottledError | EndpointError

/** Why a refresh failed: what the endpoint's answer means, or that there is nothing to ask it with. */
export type FailureCause = EndpointCause | CredentialUnavailableError

/**
 * Whether an error comes from this package, from any copy of it in the process.
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

/** The root of all errors. `instanceof` holds across several copies of the package. */
export class RotorError extends Error {
  protected constructor(code: string, message: string, details?: ErrorDetails & { retryable?: boolean })
  readonly code: string
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean
  readonly cause?: unknown
  /** Everything but the stack, for loggers. */
  toJSON(): { name: string; code: string; message: string; retryable: boolean; [detail: string]: unknown }
}

/** What the constructors of the errors take, for tests that need one. */
export interface ErrorDetails {
  cause?: unknown
}

/**
 * One or more options are wrong. `problems` has the first 20 of them; the message has the same, and says how many
 * more there are. A list or an object with more than 1,000 items is one problem, whose items are not looked at.
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
  /** Its path, such as `credentials[0].clientSecret`. */
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
 * The native part for this platform is not installed, could not be loaded, or is of another version;
 * the message names its package and what to do, and `cause` is the error of the attempt to load it, if
 * there was one.
 */
export class NativeUnavailableError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_NATIVE_UNAVAILABLE'
}

/**
 * A required source of credentials is empty or cannot be read. Retryable: the source is read again.
 */
export class CredentialUnavailableError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_CREDENTIAL_UNAVAILABLE'
}

/** No token is held and none came in time. Retryable unless its `cause` is not. */
export class TokenUnavailableError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { retryAfterMs?: number })
  readonly code: 'ERR_TOKEN_UNAVAILABLE'
  /** When to ask again, in ms. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: FailureCause | DegradedError | undefined
}

/** Even a fresh token lives shorter than `minValidityMs`, or than `minRunwayMs` of `prepareRotation()`. */
export class LifetimeTooShortError extends RotorError {
  constructor(
    message: string,
    details?: ErrorDetails & { lifetimeMs?: number; safeUntil?: Date; safeUntilLocal?: string },
  )
  readonly code: 'ERR_LIFETIME_TOO_SHORT'
  /** How long a fresh token may be used, in ms. */
  readonly lifetimeMs: number
  /** Of `prepareRotation()`: until when the fresh token would bridge a change. */
  readonly safeUntil?: Date | undefined
  readonly safeUntilLocal?: string | undefined
}

/** The manager was closed. */
export class ClosedError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_CLOSED'
}

/** What is known of the token endpoint's answer. */
export interface AnswerDetails {
  status?: number | undefined
  oauthError?: string | undefined
  description?: string | undefined
}

/**
 * The token endpoint does not accept the client or its secret (`invalid_client`, `unauthorized_client`, or
 * what the provider's `rejectedErrors` lists). Also a 401 or 403 that does not say why: that may be the
 * secret, the scope, or a gateway; it is tried again, and `retryable` is true then.
 */
export class CredentialRejectedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & AnswerDetails & { retryable?: boolean })
  readonly code: 'ERR_CREDENTIAL_REJECTED'
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The `error` member of the answer (RFC 6749 §5.2), or what the server has in its place. */
  readonly oauthError?: string | undefined
  /**
   * The `error_description` member, or the server's explanation from elsewhere (`message`, `detail`, …), at most
   * 256 characters, without secrets.
   */
  readonly description?: string | undefined
}

/**
 * The token endpoint does not accept the request, as it says to every credential that was tried: a wrong
 * scope, parameter or URL (404), or it grants a token that cannot be used.
 */
export class MisconfiguredError extends RotorError {
  constructor(message: string, details?: ErrorDetails & AnswerDetails)
  readonly code: 'ERR_MISCONFIGURED'
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The `error` member of the answer (RFC 6749 §5.2), or what the server has in its place. */
  readonly oauthError?: string | undefined
  /**
   * The `error_description` member, or the server's explanation from elsewhere (`message`, `detail`, …), at most
   * 256 characters, without secrets.
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
  /** The `error` member of the answer (RFC 6749 §5.2), or what the server has in its place. */
  readonly oauthError?: string | undefined
  /**
   * The `error_description` member, or the server's explanation from elsewhere (`message`, `detail`, …), at most
   * 256 characters, without secrets.
   */
  readonly description?: string | undefined
}

/**
 * The token endpoint could not be reached (DNS, TCP, TLS, timeout) or answered with a 5xx or with
 * something else than JSON.
 */
export class EndpointError extends RotorError {
  constructor(message: string, details?: ErrorDetails & AnswerDetails)
  readonly code: 'ERR_ENDPOINT'
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The `error` member of the answer (RFC 6749 §5.2), or what the server has in its place. */
  readonly oauthError?: string | undefined
  /**
   * The `error_description` member, or the server's explanation from elsewhere (`message`, `detail`, …), at most
   * 256 characters, without secrets.
   */
  readonly description?: string | undefined
}

/**
 * No known credential is accepted: the `cause` of a {@link TokenUnavailableError}, and why nothing can be
 * prepared. Retryable: each is tried again within a minute, and a new one at once.
 */
export class DegradedError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_DEGRADED'
}

/** What a failed rotation was about. */
export interface CandidateDetails {
  credentialId?: string | undefined
  rotationId?: string | undefined
}

/** The new credential is not accepted; the active one is as it was. */
export class CandidateRejectedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & CandidateDetails)
  readonly code: 'ERR_CANDIDATE_REJECTED'
  /** As in {@link CredentialStatus.id}. */
  readonly credentialId: string
  readonly rotationId: string
}

/** The new credential was not proved in time, or withdrawn; the active one is as it was. */
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
 * `deadlineMs` of `rotate()` has passed, or 5 minutes of another call. What was asked for may go on: the same
 * call joins it again.
 */
export class RotationTimeoutError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { rotationId?: string })
  readonly code: 'ERR_ROTATION_TIMEOUT'
  /** What it waited for: an answer of the endpoint, or custody. */
  readonly cause?: FailureCause | NoCustodyError | PersistFailedError | undefined
  /** Where it was known already: not while the sources are being read, and not of `prepareRotation()`. */
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
 * The new credential was proved, but nothing except a process that may end keeps it. As the `cause` of a
 * {@link RotationTimeoutError} it has no ids of its own.
 */
export class NoCustodyError extends RotorError {
  constructor(message: string, details?: ErrorDetails & CandidateDetails)
  readonly code: 'ERR_NO_CUSTODY'
  /** As in {@link CredentialStatus.id}. */
  readonly credentialId?: string | undefined
  readonly rotationId?: string | undefined
  /** Why, where a `persist` was tried. */
  readonly cause?: PersistFailedError | undefined
}

/** A `persist` failed: the `cause` of other errors. Retryable: it is tried again, unless the message says otherwise. */
export class PersistFailedError extends RotorError {
  constructor(message: string, details?: ErrorDetails)
  readonly code: 'ERR_PERSIST_FAILED'
}

/** Nothing is shared between processes, and what was asked for is about a fleet. */
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

/** A request that an adapter sent was refused, and cannot be repeated: its body was a stream that was read. */
export class BodyConsumedError extends RotorError {
  constructor(message: string, details?: ErrorDetails & { status?: number })
  readonly code: 'ERR_BODY_CONSUMED'
  /** The status of the refusal: 401, or 403 with `invalid_token`. */
  readonly status: number
}
