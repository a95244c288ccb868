import type { TokenSource, UrlLike } from '../../index'

/** What `compose()` of a dispatcher of undici 6.12 and later takes. */
export type DispatchInterceptor = <Dispatch extends (options: any, handler: any) => boolean>(
  dispatch: Dispatch,
) => Dispatch

/** Options of {@link createInterceptor}. */
export interface CreateInterceptorOptions {
  /**
   * Where the token may go: scheme, host and port of each, as text or as a `URL`. Requests to other
   * origins are sent as they are.
   */
  origins: readonly (string | UrlLike)[]
  /** Allows origins with plain http besides those of this machine. Default false. */
  allowInsecureHttp?: boolean | undefined
}

/**
 * Makes an interceptor for `compose()` of undici 6.12 and later, which has requests carry the tokens of a
 * source:
 *
 * - the token is taken when a request is handed to the pool; a 401, or a 403 with `invalid_token`
 *   (RFC 6750 §3.1), drops exactly that token, and the request is repeated once with another,
 * - only `origins` get it, and no redirect to another origin does; after a redirect only GET, HEAD and OPTIONS
 *   are repeated,
 * - a request with an `Authorization` of its own is sent as it is,
 * - a `signal` ends the wait for a token as well.
 *
 * Requests fail as undici has them fail, and besides with `ERR_TOKEN_UNAVAILABLE` and the other codes of
 * `getToken()`, and with `ERR_BODY_CONSUMED` when a request that was refused cannot be repeated, since its
 * body is a stream or an iterator. undici's `fetch` makes an iterator of every body: with `fetch`, use
 * `oauth-rotor/fetch`.
 *
 * A `Client` and a `Pool` of undici 6 and 7 do not tell an interceptor their origin: compose an `Agent`, or
 * give `origin` with each request; else it fails with `ERR_INVALID_ARGUMENT`. In `compose()` put it after
 * `dns` and before `redirect` and `retry`, so that it sees every request that is sent, with the name of its host.
 *
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` for wrong origins and unknown options.
 *
 * @example
 * const origins = ['https://api.mypurecloud.com']
 * const dispatcher = new Agent().compose(createInterceptor(tokens, { origins }))
 * const { body } = await request('https://api.mypurecloud.com/api/v2/users/me', { dispatcher })
 */
export function createInterceptor(tokens: TokenSource, options: CreateInterceptorOptions): DispatchInterceptor
