import * as undici6 from 'undici-6'
import * as undici7 from 'undici-7'
import * as undici8 from 'undici-8'

import { createFetch } from 'oauth-rotor/fetch'
import { fakeTokens } from 'oauth-rotor/testing'
import { createInterceptor } from 'oauth-rotor/undici'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<_Proof extends true>(): void {}

const origin = 'https://api.mypurecloud.com'
const tokens = fakeTokens()
const interceptor = createInterceptor(tokens, { origins: [origin, new URL(origin)] })

export const interceptor6: undici6.Dispatcher.DispatcherComposeInterceptor = interceptor
undici6.setGlobalDispatcher(new undici6.Agent().compose(interceptor))
new undici6.Pool(origin).compose([interceptor, undici6.interceptors.redirect()])
void undici6.request(origin, { dispatcher: new undici6.Client(origin).compose(interceptor) })
const fetch6 = createFetch(tokens, { origins: [origin], fetch: undici6.fetch })
same<Equal<typeof fetch6, typeof undici6.fetch>>()
void fetch6(origin, { dispatcher: new undici6.Agent() }).then(({ status }) => status.toFixed())

export const interceptor7: undici7.Dispatcher.DispatcherComposeInterceptor = interceptor
undici7.setGlobalDispatcher(new undici7.Agent().compose(interceptor))
new undici7.Pool(origin).compose([interceptor, undici7.interceptors.redirect()])
void undici7.request(origin, { dispatcher: new undici7.Client(origin).compose(interceptor) })
const fetch7 = createFetch(tokens, { origins: [origin], fetch: undici7.fetch })
same<Equal<typeof fetch7, typeof undici7.fetch>>()
void fetch7(origin, { dispatcher: new undici7.Agent() }).then(({ status }) => status.toFixed())

export const interceptor8: undici8.Dispatcher.DispatcherComposeInterceptor = interceptor
undici8.setGlobalDispatcher(new undici8.Agent().compose(interceptor))
new undici8.Pool(origin).compose([interceptor, undici8.interceptors.redirect()])
void undici8.request(origin, { dispatcher: new undici8.Client(origin).compose(interceptor) })
const fetch8 = createFetch(tokens, { origins: [origin], fetch: undici8.fetch })
same<Equal<typeof fetch8, typeof undici8.fetch>>()
void fetch8(origin, { dispatcher: new undici8.Agent() }).then(({ status }) => status.toFixed())
