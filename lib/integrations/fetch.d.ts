import type { TokenSource, UrlLike } from '../../index'

/** A function such as `fetch`: the global one, undici's, or node-fetch's. */
export type FetchLike = (input: any, init?: any) => Promise<any>

/** The type of the global `fetch`, if the types in use declare it. */
export type GlobalFetch = typeof globalThis extends { fetch: infer F extends FetchLike } ? F : FetchLike

/** Options of {@link createFetch}. */
export interface CreateFetchOptions {
  /**
   * The origins that the token may be sent to: scheme, host and port of each, as text or as a
   * `URL`. Requests to other origins are sent unchanged.
   */
  origins: readonly (string | UrlLike)[]
  /** Allows plain http for origins other than those of this machine. Default: false. */
  allowInsecureHttp?: boolean | undefined
}

/**
 * Returns a `fetch` that adds the tokens of a source to its requests:
 *
 * - the token is taken when a request is sent,
 * - a 401, or a 403 with `invalid_token` (RFC 6750 §3.1), drops exactly that token, and the request
 *   is repeated once with another token,
 * - only `origins` get the token, and no redirect to another origin. After a redirect, only
 *   GET, HEAD and OPTIONS are repeated,
 * - a request with an `Authorization` of its own is sent unchanged,
 * - a `signal` also ends the wait for a token.
 *
 * The promise rejects with the errors of `fetch`. It also rejects with `ERR_TOKEN_UNAVAILABLE` and
 * the other codes of `getToken()`, and with `ERR_BODY_CONSUMED` when a refused request cannot be
 * repeated because its body is a stream or an iterator. The body of a `Request` is kept in memory
 * until the response has arrived.
 *
 * @param options `fetch` sends the requests. Default: the global `fetch` at the time of each
 * request.
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` if origins are wrong or an option is
 * unknown.
 *
 * @example
 * const api = createFetch(tokens, { origins: ['https://api.mypurecloud.com'] })
 * const response = await api('https://api.mypurecloud.com/api/v2/users/me')
 */
export function createFetch(
  tokens: TokenSource,
  options: CreateFetchOptions & { fetch?: undefined },
): GlobalFetch
export function createFetch<F extends FetchLike>(
  tokens: TokenSource,
  options: CreateFetchOptions & { fetch: F },
): F
export function createFetch<F extends FetchLike>(
  tokens: TokenSource,
  options: CreateFetchOptions & { fetch?: F | undefined },
): F | GlobalFetch
