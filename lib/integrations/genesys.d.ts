import type { TokenSource, UrlLike } from '../../index'

/** What {@link attach} needs of an `ApiClient` of purecloud-platform-client-v2. */
export interface ApiClientLike {
  callApi(...args: any[]): Promise<any>
  setAccessToken(token: string): void
}

/** Options of {@link attach}. */
export interface AttachOptions {
  /**
   * Where the token may go: scheme, host and port of each, as text or as a `URL`. Requests to other
   * origins are sent as they are. Default: the origin that the client is set to, by `setEnvironment()` or
   * `setGateway()`, now and later.
   */
  origins?: readonly (string | UrlLike)[] | undefined
  /** Allows origins with plain http besides those of this machine. Default false. */
  allowInsecureHttp?: boolean | undefined
}

/**
 * Has the calls of a client of Genesys Cloud's SDK (purecloud-platform-client-v2, 200 and later) carry the
 * tokens of a source, in place of `loginClientCredentialsGrant()` and `setAccessToken()`:
 *
 * - the token is taken when a call is made; a 401, or a 403 with `invalid_token` (RFC 6750 §3.1), drops
 *   exactly that token, and the call is made once more with another,
 * - only the API gets it: no other origin, and not the client's own login,
 * - a call with an `Authorization` of its own is made as it is.
 *
 * Each client has tokens of its own: for several, make more as in the second example, and give each to the
 * APIs that are to use it. The SDK logs in with errors that hold the client secret, and fails with errors that
 * hold the token: both are taken out.
 *
 * Calls fail as the SDK has them fail, and besides with `ERR_TOKEN_UNAVAILABLE` and the other codes of
 * `getToken()`, and with `ERR_BODY_CONSUMED` when a call that was refused cannot be made again, since its body
 * is a stream.
 *
 * @returns A function that ends it, and gives the client its own HTTP client back.
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` for what is no `ApiClient`, wrong origins and unknown
 * options.
 *
 * @example
 * import platformClient from 'purecloud-platform-client-v2'
 *
 * const client = platformClient.ApiClient.instance
 * client.setEnvironment('sae1.pure.cloud')
 * const detach = attach(client, tokens)
 * const me = await new platformClient.UsersApi().getUsersMe()
 *
 * @example
 * // A client besides ApiClient.instance. The SDK's own types know the argument of UsersApi from 212 on.
 * const client = new platformClient.ApiClientClass()
 * client.setEnvironment('mypurecloud.ie')
 * attach(client, otherTokens)
 * const me = await new platformClient.UsersApi(client).getUsersMe()
 */
export function attach(client: ApiClientLike, tokens: TokenSource, options?: AttachOptions): () => void
