import axios from 'axios'
import oldest from 'axios-oldest'

import { attach } from 'oauth-rotor/axios'
import { fakeTokens } from 'oauth-rotor/testing'

const tokens = fakeTokens()
const options = { origins: ['https://api.mypurecloud.com'], allowInsecureHttp: false }
const config = { baseURL: 'https://api.mypurecloud.com' }

export const detachers: (() => void)[] = [
  attach(axios, tokens, options),
  attach(axios.create(config), tokens),
  attach(oldest, tokens, options),
  attach(oldest.create(config), tokens),
]
// @ts-expect-error no instance: it lacks create()
attach(new axios.Axios(config), tokens)
// @ts-expect-error no instance: it lacks create()
attach(new oldest.Axios(config), tokens)
