// What needs no HTTP client, and no types of one.
import { TokenManager, fromEnv, genesysCloud } from 'oauth-rotor'
import type { TokenSource, UrlLike } from 'oauth-rotor'
import { attach as attachToAxios } from 'oauth-rotor/axios'
import type { AttachOptions as AxiosOptions } from 'oauth-rotor/axios'
import { createFetch } from 'oauth-rotor/fetch'
import type { CreateFetchOptions, GlobalFetch } from 'oauth-rotor/fetch'
import { attach as attachToGenesys } from 'oauth-rotor/genesys'
import type { AttachOptions as GenesysOptions } from 'oauth-rotor/genesys'
import { expressRawBody, fastifyRawBody, readRawBody } from 'oauth-rotor/raw-body'
import type { RawBodyOptions, RawBytes } from 'oauth-rotor/raw-body'
import { fakeTokens } from 'oauth-rotor/testing'
import { createInterceptor } from 'oauth-rotor/undici'
import type { CreateInterceptorOptions, DispatchInterceptor } from 'oauth-rotor/undici'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<_Proof extends true>(): void {}

declare const url: UrlLike
declare const axios: {
  (config: object): Promise<object>
  interceptors: Record<'request' | 'response', Interceptors>
}
interface Interceptors {
  use(fulfilled: (value: object) => object, rejected?: (error: unknown) => unknown): number
  eject(id: number): void
}
declare const client: { callApi(path: string): Promise<object>; setAccessToken(token: string): void }

const manager = new TokenManager({
  provider: genesysCloud({ region: 'sa_east_1' }),
  credentials: fromEnv('ID', 'SECRET'),
})
const tokens: TokenSource = { getToken: async () => 'token', invalidate: () => true }
const origins = ['https://api.mypurecloud.com', url] as const

// Each source of tokens, with each adapter.
for (const source of [manager, fakeTokens(), tokens]) {
  createFetch(source, { origins })
  createInterceptor(source, { origins })
  attachToAxios(axios, source)
  attachToGenesys(client, source)
}

// Every optional may be given as undefined, also under exactOptionalPropertyTypes.
const sparse = { origins, allowInsecureHttp: undefined }
const sparser = { origins: undefined, allowInsecureHttp: undefined }
export const fetchOptions: CreateFetchOptions = sparse
export const interceptorOptions: CreateInterceptorOptions = sparse
export const axiosOptions: AxiosOptions = sparser
export const genesysOptions: GenesysOptions = sparser

// What they return.
export const interceptor: DispatchInterceptor = createInterceptor(tokens, interceptorOptions)
same<Equal<ReturnType<typeof attachToAxios>, () => void>>()
same<Equal<ReturnType<typeof attachToGenesys>, () => void>>()
export const api: GlobalFetch = createFetch(tokens, fetchOptions)
export const sameApi: GlobalFetch = createFetch(tokens, { origins, fetch: undefined })

// The bytes are at least a Uint8Array.
export const rawBodyOptions: RawBodyOptions = { limit: undefined }
export const rawBodies = [expressRawBody(rawBodyOptions), fastifyRawBody()]
declare const request: { headers: Record<string, string>; on(name: string, listener: () => void): object }
export const bytes: Promise<Uint8Array> = readRawBody(request, { limit: 1024 })
export const length = (raw: RawBytes): number => raw.length

// The types of a fetch that is given stay.
interface NodeFetchResponse {
  readonly status: number
  json(): Promise<unknown>
}
declare function nodeFetch(
  url: string | UrlLike,
  init?: { method?: string; headers?: Record<string, string> },
): Promise<NodeFetchResponse>
const given = createFetch(tokens, { origins, fetch: nodeFetch })
same<Equal<typeof given, typeof nodeFetch>>()
void given('https://api.mypurecloud.com', { method: 'GET' }).then(({ status }) => status.toFixed())
// @ts-expect-error an option that it does not have
void given('https://api.mypurecloud.com', { methods: 'GET' })
export function maybe(options: { fetch?: typeof nodeFetch }) {
  const perhaps = createFetch(tokens, { origins, ...options })
  same<Equal<typeof perhaps, typeof nodeFetch | GlobalFetch>>()
}

// @ts-expect-error the origins are missing
createFetch(tokens, {})
// @ts-expect-error the origins are missing
createFetch(tokens)
// @ts-expect-error the origins are missing
createInterceptor(tokens, {})
// @ts-expect-error the origins are missing
createInterceptor(tokens)
// @ts-expect-error no tokens
createFetch({ origins })
// @ts-expect-error no tokens
createInterceptor({ origins })
// @ts-expect-error no tokens
attachToAxios(axios)
// @ts-expect-error no tokens
attachToGenesys(client, { origins })
// @ts-expect-error a token is no source of tokens
createFetch('token', { origins })
// @ts-expect-error a token is no source of tokens
createInterceptor(async () => 'token', { origins })
// @ts-expect-error a list
createFetch(tokens, { origins: 'https://api.mypurecloud.com' })
// @ts-expect-error a list
createInterceptor(tokens, { origins: 'https://api.mypurecloud.com' })
// @ts-expect-error a list
attachToAxios(axios, tokens, { origins: 'https://api.mypurecloud.com' })
// @ts-expect-error a list
attachToGenesys(client, tokens, { origins: 'https://api.mypurecloud.com' })
// @ts-expect-error no option of ours
createFetch(tokens, { origins, retry: 2 })
// @ts-expect-error no option of ours
createInterceptor(tokens, { origins, fetch: nodeFetch })
// @ts-expect-error no option of ours
attachToAxios(axios, tokens, { origin: 'https://api.mypurecloud.com' })
// @ts-expect-error no option of ours
attachToGenesys(client, tokens, { region: 'sa_east_1' })
// @ts-expect-error a function
createFetch(tokens, { origins, fetch: { fetch: nodeFetch } })
// @ts-expect-error no axios
attachToAxios(nodeFetch, tokens)
// @ts-expect-error the wrong way round
attachToGenesys(tokens, client)
