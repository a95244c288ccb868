/**
 * An OAuth 2.0 client-credentials token that is always there.
 *
 * ```js
 * const { TokenManager, genesysCloud, fromEnv } = require('oauth-rotor')
 *
 * const tokens = new TokenManager({
 *   provider: genesysCloud({ region: 'sa_east_1' }),
 *   credentials: fromEnv('GC_CLIENT_ID', 'GC_CLIENT_SECRET'),
 * })
 * const token = await tokens.getToken()
 * ```
 *
 * All durations are milliseconds. Every error is a {@link RotorError} with a stable `code`.
 */

/** What an application needs of a token manager: take this type in your own signatures and mocks. */
export interface TokenSource {
  getToken(options?: GetTokenOptions | undefined): Promise<string>
  invalidate(token: string): boolean
}

export interface GetTokenOptions {
  /**
   * The token must be usable for at least so long; a fresh one is fetched if the held one is not.
   * Default 0: whatever is held, which is never closer to its expiry than `expiryMarginMs`.
   */
  minValidityMs?: number | undefined
  /** Stops this call's waiting, and nobody else's; the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export interface ReadyOptions {
  /** Stops this call's waiting; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/**
 * Holds a valid token for one logical client, and replaces it in the background, on a native thread,
 * well before it expires: also while the event loop is blocked.
 *
 * An open manager does not keep the process alive; a call that waits does.
 */
export class TokenManager implements TokenSource {
  /**
   * Checks all options and starts to fetch the first token. It does no I/O before it returns.
   *
   * @throws {@link InvalidOptionError} naming every option that is wrong, what it got and what it takes.
   * @throws {@link OptionsConflictError} when a manager of the same `name` has other options.
   */
  constructor(options: TokenManagerOptions)

  /**
   * Resolves when a token is held. Keeps the process alive while it is pending.
   *
   * Rejects with `ERR_TOKEN_UNAVAILABLE`: at once when every credential is rejected or the request is
   * misconfigured, else after `acquireTimeoutMs`; with `ERR_CREDENTIAL_UNAVAILABLE` at once when a
   * required source of a credential cannot be read. The manager goes on trying; call it again.
   */
  ready(options?: ReadyOptions | undefined): Promise<void>

  /**
   * The token. While one is held this costs as much as awaiting a promise of your own, and without
   * arguments answers the same promise each time.
   *
   * Without one it waits for the fetch under way, at most `acquireTimeoutMs`, then rejects with
   * `ERR_TOKEN_UNAVAILABLE` (`retryAfterMs`, `cause`) while the fetching goes on. It rejects with
   * `ERR_LIFETIME_TOO_SHORT` (`lifetimeMs`) when no fresh token can give `minValidityMs`, and with
   * `ERR_CLOSED` after `close()`. It never throws.
   */
  getToken(options?: GetTokenOptions | undefined): Promise<string>

  /** The token held at this moment, without a promise. */
  peek(): string | undefined

  /**
   * A resource answered 401 to this token. Drops it if it is the one that is held, and fetches another.
   *
   * Late 401s to older tokens do nothing. A second drop within min(10 s, 10 % of life) of a token that
   * is younger than that is ignored (event `invalidate-ignored`): a resource that answers 401 for other
   * reasons must not become a storm of token requests.
   *
   * @returns whether the token was dropped: then replay the request once, with `await getToken()`.
   */
  invalidate(token: string): boolean

  /** Reads the sources of the credentials again now, instead of within `sourcePollMs`. */
  reload(): void

  /** A snapshot for people and logs: no I/O, no secret, no token. */
  status(): Status

  /** A snapshot for a readiness probe: no I/O. */
  health(): Health

  /** Listens to an event; see {@link RotorEvents}. The same are published to `node:diagnostics_channel` as `oauth-rotor:<event>`. */
  on<E extends keyof RotorEvents>(event: E, listener: (payload: RotorEvents[E]) => void): this
  once<E extends keyof RotorEvents>(event: E, listener: (payload: RotorEvents[E]) => void): this
  off<E extends keyof RotorEvents>(event: E, listener: (payload: RotorEvents[E]) => void): this

  /**
   * Closes this handle: calls that wait reject with `ERR_CLOSED`. The last handle of a `name` stops
   * the native manager with everything it has under way. May be called twice.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface TokenManagerOptions {
  /**
   * Managers of one name in one process, worker threads included, share one token and one fetch; their
   * options must be equal, credentials apart. Without a name nothing is shared. 1 to 256 characters.
   */
  name?: string | undefined
  /** Where tokens come from. */
  provider: Provider
  /**
   * A credential, a source of them, or a list; the first one is the current one, the others are tried
   * in order when it is rejected.
   */
  credentials: CredentialEntry | readonly CredentialEntry[]
  /**
   * How long before its expiry a token is replaced. Default: the smaller of 10 min and 25 % of its life;
   * at most half of its life.
   */
  refreshBeforeMs?: number | undefined
  /** A refresh comes earlier by up to this part of the window, at random. 0 to 1, default 0.1. */
  jitterRatio?: number | undefined
  /** A token is never handed out closer to its expiry. Default: the smaller of 30 s and 5 % of its life. */
  expiryMarginMs?: number | undefined
  /** A token is used for at most so long, whatever its `expires_in` says. From 1,000. Default: no limit. */
  maxTokenAgeMs?: number | undefined
  /** Refresh so early that at least this much life is always left, if tokens live long enough. Default: none. */
  minRunwayMs?: number | undefined
  /** How long `getToken` and `ready` wait while there is no token. 1 to 600,000, default 5,000. */
  acquireTimeoutMs?: number | undefined
  /** How long one token request may take, connecting included. 1 to 600,000, default 10,000. */
  requestTimeoutMs?: number | undefined
  /** How often sources are read again. From 100, default 10,000. */
  sourcePollMs?: number | undefined
  /** The IANA time zone of local times in `status()` and events. Default: the system's. */
  timeZone?: string | undefined
  /**
   * Also compare the wall clock with the token's end on every call. Without it a process that was
   * frozen may hand out an expired token for up to a second. Default: false; true under AWS Lambda.
   */
  strict?: boolean | undefined
}

/** A credential, or something that yields one or several. */
export type CredentialEntry = Credential | PairSource | CredentialCallback

export interface Credential {
  /** Your name for it, such as `2026-q4`: it appears in events and `status()`. */
  label?: string | undefined
  clientId: string | FieldSource | FieldCallback
  clientSecret: string | FieldSource | FieldCallback
  /** It may be missing: its value, variable or file may not exist. Default false. */
  optional?: boolean | undefined
}

/** What a callback for whole credentials yields. */
export interface PlainCredential {
  label?: string | undefined
  clientId: string
  clientSecret: string
}

export type FieldCallback = () => Promise<string | undefined>
export type CredentialCallback = () => Promise<PlainCredential | PlainCredential[] | undefined>

declare const pairSource: unique symbol
declare const fieldSource: unique symbol
declare const provider: unique symbol

/** A place that holds a client id and a secret. */
export interface PairSource {
  readonly [pairSource]: true
}
/** A place that holds one field. */
export interface FieldSource {
  readonly [fieldSource]: true
}

/**
 * Environment variables for client id and secret, read again every `sourcePollMs`.
 * @throws {@link InvalidArgumentError}
 */
export function fromEnv(idVariable: string, secretVariable: string): PairSource
/** An environment variable for one field of a {@link Credential}. */
export function fromEnv(variable: string): FieldSource
/** A file that holds one field and nothing else, at most 64 KiB of UTF-8; a line break at its end is not part of it. */
export function fromFile(path: string): FieldSource
/**
 * Two files of a directory, such as a mounted Kubernetes secret. Where the directory is swapped
 * through `..data`, both are read of one version: a pair is never torn.
 */
export function fromDirectory(directory: string, files: { clientId: string; clientSecret: string }): PairSource

/** Where tokens come from; made by {@link genesysCloud}, {@link pagerDuty} or {@link oauth2}. */
export interface Provider {
  readonly [provider]: true
  readonly tokenUrl: string
}

export interface ProviderOptions {
  /**
   * How the client authenticates (RFC 6749 §2.3.1): `basic` sends form-encoded id and secret, as the
   * standard says; `basic-raw` sends them as they are; `body` puts them into the form.
   * Default `basic`; Genesys Cloud `basic-raw`, PagerDuty `body`.
   */
  clientAuth?: 'basic' | 'basic-raw' | 'body' | undefined
  /** The `scope` parameter (RFC 6749 §3.3). */
  scope?: string | undefined
  /** The `audience` parameter, which some servers want. */
  audience?: string | undefined
  /** The `resource` parameters (RFC 8707). */
  resource?: string | readonly string[] | undefined
  /** Further parameters of the request. */
  params?: Readonly<Record<string, string | undefined>> | undefined
  /** The life of a token whose answer has no `expires_in`. 1,000 to 365 days, default 300,000. */
  defaultLifetimeMs?: number | undefined
  /**
   * How long after a secret appears in a running process the provider may still reject it; until then
   * a rejection does not count. 0 to 3,600,000, default 0; Genesys Cloud 10,000.
   */
  propagationMs?: number | undefined
  /** `ca` replaces the system's certificate authorities; `cert` and `key` are the client's. PEM. */
  tls?: TlsOptions | undefined
  /**
   * The proxy's address, or `false` for none. Default: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY
   * of the environment, as curl reads them. Loopback is never proxied.
   */
  proxy?: string | false | undefined
  /** Permits `http:` to other hosts than loopback: the client secret travels in the clear. Default false. */
  allowInsecureHttp?: boolean | undefined
}

export interface TlsOptions {
  ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  cert?: string | Uint8Array | undefined
  key?: string | Uint8Array | undefined
}

/**
 * Genesys Cloud, by region (`sa_east_1`) or by host (`login.mypurecloud.ie`). `api.<domain>` is
 * corrected to `login.<domain>` with a process warning (code `OAUTH_ROTOR_API_HOST`).
 * @throws {@link InvalidOptionError}
 */
export function genesysCloud(
  options: ProviderOptions &
    ({ region: string; host?: undefined } | { host: string; region?: undefined }),
): Provider
/** PagerDuty's app tokens: `pagerDuty({ scope: 'as_account-us.<subdomain> incidents.read' })`. */
export function pagerDuty(options: ProviderOptions & { scope: string }): Provider
/** Any authorization server, by its token endpoint (RFC 6749 §3.2). */
export function oauth2(options: ProviderOptions & { tokenUrl: string }): Provider

export interface Status {
  name: string | undefined
  timeZone: string
  closed: boolean
  token: TokenStatus | null
  /** Every known credential, in the order of the configuration. */
  credentials: CredentialStatus[]
  /** Whether a token request is under way. */
  refreshing: boolean
  nextRefreshAt: Date | null
  nextRefreshAtLocal: string | null
  /** What went wrong last, until something goes well. */
  lastError: { at: Date; atLocal: string; error: RotorError } | null
}

export interface CredentialName {
  /** Tells credentials apart in public: 64 bits of PBKDF2 over the secret, the same in every process. */
  credentialId: string
  label?: string | undefined
  clientId: string
}

export interface TokenStatus extends CredentialName {
  /** +1 with every token of this manager. */
  serial: number
  /** When the request for it was sent. */
  issuedAt: Date
  /** RFC 9557: `2026-11-23T16:28:00-03:00[America/Sao_Paulo]`. */
  issuedAtLocal: string
  expiresAt: Date
  expiresAtLocal: string
}

export interface CredentialStatus {
  id: string
  label?: string | undefined
  clientId: string
  /** What the token endpoint said of it last, to this process. */
  state: 'unknown' | 'accepted' | 'rejected'
}

export interface Health {
  /** A token is held. */
  ready: boolean
  /** Something needs attention, although tokens may still be there. */
  degraded: boolean
  /** What, in plain words. */
  reasons: string[]
  /** How long the held token may still be handed out. */
  tokenRunwayMs: number
}

/** What every event carries. */
export interface EventBase {
  /** The manager's name. */
  name: string | undefined
  /** +1 with every event of the manager. */
  seq: number
  at: Date
  atLocal: string
}

/** The events and their payloads; none holds a secret or a token. */
export interface RotorEvents {
  /** A token is in use. */
  token: EventBase & TokenStatus & { refreshAt: Date; refreshAtLocal: string }
  /** A token is no longer handed out: its successor is, a resource answered 401, or its time has come. */
  'token-retired': EventBase & { serial: number; reason: 'replaced' | 'invalidated' | 'expired' }
  /** The token endpoint stopped accepting a credential. */
  'credential-rejected': EventBase & CredentialName & { error: RotorError }
  /** A refresh failed; the held token, if any, stays in use for `runwayMs`. */
  'refresh-failed': EventBase & {
    error: RotorError
    nextAttemptAt: Date
    nextAttemptAtLocal: string
    runwayMs: number
  }
  /** A 401 was reported too soon after another one; the token is kept. */
  'invalidate-ignored': EventBase & { serial: number; retryAfterMs: number }
  /** A source of a credential yields something else, nothing (its last value stays in use), or cannot be read. */
  source: EventBase & {
    /** The position in the list of credentials. */
    entry: number
    label?: string | undefined
    change: 'changed' | 'emptied' | 'unreadable'
    message?: string | undefined
  }
  /** The native thread died and was started again. Please report it. */
  'thread-restarted': EventBase
}

export type RotorErrorCode =
  | 'ERR_INVALID_OPTION'
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_OPTIONS_CONFLICT'
  | 'ERR_NATIVE_UNAVAILABLE'
  | 'ERR_CREDENTIAL_UNAVAILABLE'
  | 'ERR_TOKEN_UNAVAILABLE'
  | 'ERR_LIFETIME_TOO_SHORT'
  | 'ERR_CLOSED'
  | 'ERR_CREDENTIAL_REJECTED'
  | 'ERR_MISCONFIGURED'
  | 'ERR_THROTTLED'
  | 'ERR_ENDPOINT'

/** Every error of this package. `instanceof` holds across two copies of the package. */
export abstract class RotorError extends Error {
  readonly code: RotorErrorCode
  /** Whether asking again, with nothing changed, can succeed. */
  readonly retryable: boolean
}
/** One or more options are wrong; the message names all, `option` the first. */
export class InvalidOptionError extends RotorError {
  readonly code: 'ERR_INVALID_OPTION'
  readonly option: string
}
/** A method was called with something that it does not take. */
export class InvalidArgumentError extends RotorError {
  readonly code: 'ERR_INVALID_ARGUMENT'
  readonly option?: string | undefined
}
/** Another manager of this `name` is open with another `option`. */
export class OptionsConflictError extends RotorError {
  readonly code: 'ERR_OPTIONS_CONFLICT'
  readonly option: string
}
/** The native part is missing or cannot work here. */
export class NativeUnavailableError extends RotorError {
  readonly code: 'ERR_NATIVE_UNAVAILABLE'
}
/** A required source of a credential yields nothing. */
export class CredentialUnavailableError extends RotorError {
  readonly code: 'ERR_CREDENTIAL_UNAVAILABLE'
  readonly cause: RotorError
}
/** No token is held, and none came in time or can come. */
export class TokenUnavailableError extends RotorError {
  readonly code: 'ERR_TOKEN_UNAVAILABLE'
  /** When asking again is worth it. */
  readonly retryAfterMs: number
  /** What stands in the way, where it is known. */
  readonly cause?:
    | CredentialRejectedError
    | MisconfiguredError
    | ThrottledError
    | EndpointError
    | CredentialUnavailableError
    | undefined
}
/** A fresh token can be used for `lifetimeMs`, which is less than `minValidityMs` asks for. */
export class LifetimeTooShortError extends RotorError {
  readonly code: 'ERR_LIFETIME_TOO_SHORT'
  readonly lifetimeMs: number
}
/** The manager was closed. */
export class ClosedError extends RotorError {
  readonly code: 'ERR_CLOSED'
}
/** What an answer of the token endpoint adds to an error. */
export interface EndpointAnswer {
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The `error` member (RFC 6749 §5.2). */
  readonly oauthError?: string | undefined
  /** The `error_description` member: at most 256 characters, without secrets. */
  readonly description?: string | undefined
}
/** The token endpoint does not accept the credential. */
export class CredentialRejectedError extends RotorError implements EndpointAnswer {
  readonly code: 'ERR_CREDENTIAL_REJECTED'
  readonly status?: number | undefined
  readonly oauthError?: string | undefined
  readonly description?: string | undefined
}
/** The token endpoint does not accept the request, whatever the credential. */
export class MisconfiguredError extends RotorError implements EndpointAnswer {
  readonly code: 'ERR_MISCONFIGURED'
  readonly status?: number | undefined
  readonly oauthError?: string | undefined
  readonly description?: string | undefined
}
/** The token endpoint asks for fewer requests. */
export class ThrottledError extends RotorError implements EndpointAnswer {
  readonly code: 'ERR_THROTTLED'
  readonly status?: number | undefined
  readonly oauthError?: string | undefined
  readonly description?: string | undefined
}
/** The token endpoint could not be reached, or did not answer as one. */
export class EndpointError extends RotorError implements EndpointAnswer {
  readonly code: 'ERR_ENDPOINT'
  readonly status?: number | undefined
  readonly oauthError?: string | undefined
  readonly description?: string | undefined
}

/** Whether a value is an error of this package, from whichever copy or realm. */
export function isRotorError(value: unknown): value is RotorError
