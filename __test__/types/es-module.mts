// Conditional exports and default imports are others here.
import axios from 'axios'
import oldestAxios from 'axios-oldest'
import platformClient from 'purecloud-platform-client-v2'
import { Agent as Agent6 } from 'undici-6'
import { Agent as Agent7 } from 'undici-7'
import { Agent as Agent8 } from 'undici-8'

import { attach as attachToAxios } from 'oauth-rotor/axios'
import { createFetch, type GlobalFetch } from 'oauth-rotor/fetch'
import { attach as attachToGenesys } from 'oauth-rotor/genesys'
import { fakeTokens } from 'oauth-rotor/testing'
import { createInterceptor } from 'oauth-rotor/undici'

const tokens = fakeTokens()
const options = { origins: ['https://api.mypurecloud.com'] }
const interceptor = createInterceptor(tokens, options)

export const dispatchers = [
  new Agent6().compose(interceptor),
  new Agent7().compose(interceptor),
  new Agent8().compose(interceptor),
]
attachToAxios(axios, tokens, options)
attachToAxios(oldestAxios.create(), tokens, options)
attachToGenesys(platformClient.ApiClient.instance, tokens)
export const api: GlobalFetch = createFetch(tokens, options)
