import type { TokenSource, UrlLike } from '../../index'

/** What {@link attach} needs of axios, or of an instance that `axios.create()` returned. */
export interface AxiosLike {
  (config: any): Promise<any>
  readonly interceptors: { readonly request: InterceptorsLike; readonly response: InterceptorsLike }
}

/** The part of axios' interceptors that is needed. */
export interface InterceptorsLike {
  use(...args: any[]): number
  eject(id: number): void
}

/** Options of {@link attach}. */
export interface AttachOptions {
  /**
   * Where the token may go: scheme, host and port of each, as text or as a `URL`. Requests to other
   * origins are sent as they are. Default: the origin of the instance's `baseURL`.
   */
  origins?: readonly (string | UrlLike)[] | undefined
  /** Allows origins with plain http besides those of this machine. Default false. */
  allowInsecureHttp?: boolean | undefined
}

/**
 * Has the requests of an axios instance (1.5 and later) carry the tokens of a source:
 *
 * - the token is put in when a request is sent, after all interceptors; a 401, or a 403 with
 *   `invalid_token` (RFC 6750 §3.1), drops exactly that token, and the request is repeated once with
 *   another. Interceptors see the request once, and the answer that counts; those that are added before this
 *   one see the first answer, too,
 * - only `origins` get it, and no redirect to another origin does; after a redirect only GET, HEAD and OPTIONS
 *   are repeated,
 * - a request with an `Authorization` or with `auth` of its own is sent as it is,
 * - a `signal` ends the wait for a token as well.
 *
 * Requests fail as axios has them fail, and besides with `ERR_TOKEN_UNAVAILABLE` and the other codes of
 * `getToken()`, and with `ERR_BODY_CONSUMED` when a request that was refused cannot be repeated, since its
 * body is a stream. The token is taken out of the `config` of responses and errors, so that it is not
 * logged, and a retry does not send it again.
 *
 * @returns A function that ends it. Requests that are under way are not repeated any more.
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` for what is no axios instance, wrong origins and
 * unknown options.
 *
 * @example
 * const api = axios.create({ baseURL: 'https://api.mypurecloud.com' })
 * const detach = attach(api, tokens)
 * const { data } = await api.get('/api/v2/users/me')
 */
export function attach(instance: AxiosLike, tokens: TokenSource, options?: AttachOptions): () => void
