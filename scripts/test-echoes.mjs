// npm run test:echoes: shows a million encoded secrets to the redaction.

import { search } from './support/search.mjs'

await search('echoes', 'no_echo_of_a_secret_is_shown')
