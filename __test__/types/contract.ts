// Compiles only while the contract is what it says; every expected error is one.

import {
  TokenManager,
  fromDirectory,
  fromEnv,
  fromFile,
  genesysCloud,
  isRotorError,
  oauth2,
  pagerDuty,
  type RotorErrorCode,
  type TokenSource,
} from 'oauth-rotor'

const tokens = new TokenManager({
  name: undefined,
  provider: genesysCloud({ region: 'sa_east_1', scope: undefined }),
  credentials: [
    fromEnv('ID', 'SECRET'),
    fromDirectory('/secrets', { clientId: 'id', clientSecret: 'secret' }),
    { label: 'next', clientId: 'app', clientSecret: fromFile('/secret'), optional: true },
    { clientId: fromEnv('ID'), clientSecret: async () => 'secret' },
    async () => [{ clientId: 'a', clientSecret: 'b' }],
  ],
  timeZone: 'America/Sao_Paulo',
  refreshBeforeMs: undefined,
})

const token: Promise<string> = tokens.getToken({ minValidityMs: 1000, signal: AbortSignal.timeout(10) })
const source: TokenSource = tokens
const mock: TokenSource = { getToken: async () => 'fake', invalidate: () => false }
const held: string | undefined = tokens.peek()
const expiresAt: Date | undefined = tokens.status().token?.expiresAt
tokens.on('token', ({ serial, expiresAtLocal }) => [serial.toFixed(), expiresAtLocal.length])
tokens.once('source', ({ change }) => change === 'emptied')
export const used = [token, source, mock, held, expiresAt, pagerDuty({ scope: 'a' })]

export function code(error: unknown): RotorErrorCode | undefined {
  return isRotorError(error) ? error.code : undefined
}

export async function dispose(): Promise<void> {
  await tokens[Symbol.asyncDispose]()
}

// @ts-expect-error a provider is required
new TokenManager({ credentials: fromEnv('ID', 'SECRET') })
// @ts-expect-error one field is no credential
new TokenManager({ provider: oauth2({ tokenUrl: 'https://a' }), credentials: fromEnv('ID') })
// @ts-expect-error a pair is no field
new TokenManager({ provider: oauth2({ tokenUrl: 'https://a' }), credentials: { clientId: fromEnv('A', 'B'), clientSecret: 'x' } })
// @ts-expect-error region and host exclude each other
genesysCloud({ region: 'sa_east_1', host: 'login.sae1.pure.cloud' })
// @ts-expect-error there is no such authentication
oauth2({ tokenUrl: 'https://a', clientAuth: 'digest' })
// @ts-expect-error options of later versions are not options yet
new TokenManager({ provider: oauth2({ tokenUrl: 'https://a' }), credentials: fromEnv('A', 'B'), store: {} })
// @ts-expect-error there is no such event
tokens.on('tokens', () => {})
// @ts-expect-error a token is a string
tokens.invalidate(1)
