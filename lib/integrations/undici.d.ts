import type { TokenSource, UrlLike } from '../../index'

/** An interceptor for `compose()` of a dispatcher of undici 6.12 and later. */
export type DispatchInterceptor = <Dispatch extends (options: any, handler: any) => boolean>(
  dispatch: Dispatch,
) => Dispatch

/** Options of {@link createInterceptor}. */
export interface CreateInterceptorOptions {
  /**
   * The origins that the token may be sent to: scheme, host and port of each, as text or as a
   * `URL`. Requests to other origins are sent unchanged.
   */
  origins: readonly (string | UrlLike)[]
  /** Allows plain http for origins other than those of this machine. Default: false. */
  allowInsecureHttp?: boolean | undefined
}

/**
 * Returns an interceptor for `compose()` of undici 6.12 and later, which adds the tokens of a
 * source to requests:
 *
 * - the token is taken when a request is handed to the pool,
 * - a 401, or a 403 with `invalid_token` (RFC 6750 §3.1), drops exactly that token, and the request
 *   is repeated once with another token,
 * - only `origins` get the token, and no redirect to another origin. After a redirect, only
 *   GET, HEAD and OPTIONS are repeated,
 * - a request with an `Authorization` of its own is sent unchanged,
 * - a `signal` also ends the wait for a token.
 *
 * Requests fail with the errors of undici. They also fail with `ERR_TOKEN_UNAVAILABLE` and the
 * other codes of `getToken()`, and with `ERR_BODY_CONSUMED` when a refused request cannot be
 * repeated because its body is a stream or an iterator. undici's `fetch` makes an iterator of every
 * body: with `fetch`, use `oauth-rotor/fetch`.
 *
 * A `Client` and a `Pool` of undici 6 and 7 do not tell an interceptor their origin: compose an
 * `Agent`, or give `origin` with each request. Otherwise the request fails with
 * `ERR_INVALID_ARGUMENT`. In `compose()`, put the interceptor after `dns` and before `redirect` and
 * `retry`. Then it sees every request that is sent, with the name of its host.
 *
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` if origins are wrong or an option is
 * unknown.
 *
 * @example
 * const origins = ['https://api.mypurecloud.com']
 * const dispatcher = new Agent().compose(createInterceptor(tokens, { origins }))
 * const { body } = await request('https://api.mypurecloud.com/api/v2/users/me', { dispatcher })
 */
export function createInterceptor(tokens: TokenSource, options: CreateInterceptorOptions): DispatchInterceptor
