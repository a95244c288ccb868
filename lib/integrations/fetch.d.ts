import type { TokenSource, UrlLike } from '../../index'

/** A function such as `fetch`: the global one, undici's, or node-fetch's. */
export type FetchLike = (input: any, init?: any) => Promise<any>

/** The type of the global `fetch`, where the types in use know it. */
export type GlobalFetch = typeof globalThis extends { fetch: infer F extends FetchLike } ? F : FetchLike

/** Options of {@link createFetch}. */
export interface CreateFetchOptions {
  /**
   * Where the token may go: scheme, host and port of each, as text or as a `URL`. Requests to other
   * origins are sent as they are.
   */
  origins: readonly (string | UrlLike)[]
  /** Allows origins with plain http besides those of this machine. Default false. */
  allowInsecureHttp?: boolean | undefined
}

/**
 * Makes a `fetch` whose requests carry the tokens of a source:
 *
 * - the token is taken when a request is sent; a 401, or a 403 with `invalid_token` (RFC 6750 §3.1), drops
 *   exactly that token, and the request is repeated once with another,
 * - only `origins` get it, and no redirect to another origin does; after a redirect only GET, HEAD and OPTIONS
 *   are repeated,
 * - a request with an `Authorization` of its own is sent as it is,
 * - a `signal` ends the wait for a token as well.
 *
 * The promise rejects as that of `fetch` does, and besides with `ERR_TOKEN_UNAVAILABLE` and the other codes
 * of `getToken()`, and with `ERR_BODY_CONSUMED` when a request that was refused cannot be repeated, since its
 * body is a stream or an iterator. The body of a `Request` is kept in memory until the answer has come.
 *
 * @param options `fetch` sends the requests. Default: the global one, at the time of each request.
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` for wrong origins and unknown options.
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
