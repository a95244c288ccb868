import type { TokenSource, UrlLike } from '../../index'

/** The part of an `ApiClient` of purecloud-platform-client-v2 that {@link attach} needs. */
export interface ApiClientLike {
  callApi(...args: any[]): Promise<any>
  setAccessToken(token: string): void
}

/** Options of {@link attach}. */
export interface AttachOptions {
  /**
   * The origins that the token may be sent to: scheme, host and port of each, as text or as a
   * `URL`. Requests to other origins are sent unchanged. Default: the origin that
   * `setEnvironment()` or `setGateway()` sets, now and later.
   */
  origins?: readonly (string | UrlLike)[] | undefined
  /** Allows plain http for origins other than those of this machine. Default: false. */
  allowInsecureHttp?: boolean | undefined
}

/**
 * Adds the tokens of a source to the calls of a client of Genesys Cloud's SDK
 * (purecloud-platform-client-v2, 200 and later). It replaces `loginClientCredentialsGrant()` and
 * `setAccessToken()`:
 *
 * - the token is taken when a call is made,
 * - a 401, or a 403 with `invalid_token` (RFC 6750 §3.1), drops exactly that token, and the call is
 *   made once more with another token,
 * - only the API gets the token, not other origins or the client's own login,
 * - a call with an `Authorization` of its own is made unchanged.
 *
 * Each client has its own tokens. For several clients, create more as in the second example, and
 * pass each to the APIs that use it. The SDK's errors hold the client secret when a login fails,
 * and the token when a call fails: both are removed.
 *
 * Calls fail with the errors of the SDK. They also fail with `ERR_TOKEN_UNAVAILABLE` and the other
 * codes of `getToken()`, and with `ERR_BODY_CONSUMED` when a refused call cannot be repeated
 * because its body is a stream.
 *
 * @returns A function that detaches the tokens, and restores the client's own HTTP client.
 * @throws {InvalidArgumentError} `ERR_INVALID_ARGUMENT` if `client` is no `ApiClient`, origins are
 * wrong, or an option is unknown.
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
 * // A second client. The SDK's types declare the argument of UsersApi since version 212.
 * const client = new platformClient.ApiClientClass()
 * client.setEnvironment('mypurecloud.ie')
 * attach(client, otherTokens)
 * const me = await new platformClient.UsersApi(client).getUsersMe()
 */
export function attach(client: ApiClientLike, tokens: TokenSource, options?: AttachOptions): () => void
