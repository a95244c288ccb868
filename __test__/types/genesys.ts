// With the SDK's types of every version that is supported.
import platformClient from 'purecloud-platform-client-v2'

import { attach } from 'oauth-rotor/genesys'
import { fakeTokens } from 'oauth-rotor/testing'

const client = platformClient.ApiClient.instance
client.setEnvironment('sae1.pure.cloud')
const other = new platformClient.ApiClientClass()
other.setEnvironment('mypurecloud.ie')

export const detachers: (() => void)[] = [
  attach(client, fakeTokens()),
  attach(other, fakeTokens(), { origins: ['https://api.mypurecloud.ie'] }),
]
export const name: Promise<string | undefined> = new platformClient.UsersApi()
  .getUsersMe()
  .then((me) => me.name)
