// npm run test:model: searches every order of events of small fleets for one that breaks a
// guarantee.

import { search } from './support/search.mjs'

await search('model', 'no_order_of_events_breaks_an_invariant')
