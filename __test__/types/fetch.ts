// Where the types know a global fetch: those of Node.js, or those of the DOM.
import { createFetch } from 'oauth-rotor/fetch'
import type { GlobalFetch } from 'oauth-rotor/fetch'
import { fakeTokens } from 'oauth-rotor/testing'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<_Proof extends true>(): void {}

const origins = [new URL('https://api.mypurecloud.com')]
const api = createFetch(fakeTokens(), { origins })
same<Equal<GlobalFetch, typeof fetch>>()
same<Equal<typeof api, typeof fetch>>()
same<Equal<Awaited<ReturnType<typeof api>>, Response>>()
void api(new URL('https://api.mypurecloud.com'), { method: 'POST', signal: AbortSignal.timeout(1000) })
void api(new Request('https://api.mypurecloud.com')).then((response) => response.ok)
// @ts-expect-error no URL
void api(1)
createFetch(fakeTokens(), { origins, fetch })
createFetch(fakeTokens(), { origins, fetch: (input, init) => fetch(input, init) })
