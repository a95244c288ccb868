// Where the types know no global fetch.
import type { FetchLike, GlobalFetch } from 'oauth-rotor/fetch'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<_Proof extends true>(): void {}

same<Equal<GlobalFetch, FetchLike>>()
