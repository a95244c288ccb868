// What Node.js' own types (or those of the DOM) call these things fits.
import { TokenManager, fromDirectory, fromFile, genesysCloud, oauth2 } from '../..'

const provider = oauth2({ tokenUrl: new URL('https://idp.example'), proxy: new URL('http://proxy.example') })
const directory = fromDirectory(new URL('file:///etc/oauth'), { clientId: 'id', clientSecret: 'secret' })
const tokens = new TokenManager({
  provider,
  credentials: [directory, { clientId: 'app', clientSecret: fromFile(new URL('file:///run/secret')) }],
})
void tokens.getToken({ signal: AbortSignal.timeout(1000) })
void tokens.ready({ signal: new AbortController().signal })

// @ts-expect-error a URL is no region
genesysCloud({ region: new URL('https://login.mypurecloud.com') })
