// The SDK's types of version 212 and later know that an API takes a client.
import platformClient from 'purecloud-platform-client-v2'

import { attach } from 'oauth-rotor/genesys'
import { fakeTokens } from 'oauth-rotor/testing'

const client = new platformClient.ApiClientClass()
attach(client, fakeTokens())
void new platformClient.UsersApi(client).getUsersMe()
