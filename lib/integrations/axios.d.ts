import type { TokenSource, UrlLike } from '../../index'

/** The part of axios, or of an instance of `axios.create()`, that {@link attach} needs. */
export interface AxiosLike {
  (config: any): Promise<any>
  readonly interceptors: { readonly request: InterceptorsLike; readonly response: InterceptorsLike }
}

/** The part of axios' interceptors that {@link attach} needs. */
export interface InterceptorsLike {
  use(...args: any[]): number
  eject(id: number): void
}

/** Options of {@link attach}. */
export interface AttachOptions {
  /**
   * The origins that the token may be sent to: scheme, host and port of each, as text or as a
   * `URL`. Requests to other origins are sent unchanged. Default: the origin of the instance's
   * `baseURL`.
   */
  origins?: readonly (string | UrlLike)[] | undefined
  /** Allows plain http for origins other than those of this machine. Default: false. */
  allowInsecureHttp?: boolean | undefined
}

/**
 * Adds the tokens of a source to the requests of an axios instance (1.5 and later):
 *
 * - the token is added when a request is sent, after all interceptors,
 * - a 401, or a 403 with `invalid_token` (RFC 6750 §3.1), drops exactly that token, and the request
 *   is repeated once with another token. Interceptors see the request once, and the final response.
 *   Interceptors that were added before this one also see the first response,
 * - only `origins` get the token, and no redirect to another origin. After a redirect, only
 *   GET, HEAD and OPTIONS are repeated,
 * - a request with an `Authorization` or `auth` of its own is sent unchanged,
 * - a `signal` also ends the wait for a token.
 *
 * Requests fail with the errors of axios. They also fail with `ERR_TOKEN_UNAVAILABLE` and the other
 * codes of `getToken()`, and with `ERR_BODY_CONSUMED` when a refused request cannot be repeated
 * because its body is a stream. The token is removed from the `config` of responses and errors, so
 * that it is not logged and a retry does not send it again.
 *
 * @returns A function that detaches the tokens. Pending requests are then no longer repeated.
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` if `instance` is no axios instance, origins
 * are wrong, or an option is unknown.
 *
 * @example
 * const api = axios.create({ baseURL: 'https://api.mypurecloud.com' })
 * const detach = attach(api, tokens)
 * const { data } = await api.get('/api/v2/users/me')
 */
export function attach(instance: AxiosLike, tokens: TokenSource, options?: AttachOptions): () => void
