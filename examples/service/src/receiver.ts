import type { TokenSource, WebhookSigner } from 'oauth-rotor'
import { createFetch } from 'oauth-rotor/fetch'
import { retryAfterMs, type Destination, type Outcome } from './courier'
import type { AcceptedEvent } from './outbox'

/** Statuses that say that this event will never be taken. A wrong token or key can be put right. */
const FINAL = new Set([400, 410, 413, 415, 422])

/** A receiver of one's own: it checks the token and the signature, and drops repeats by the id. */
export class Receiver implements Destination {
  readonly #url: string
  readonly #signer: WebhookSigner
  readonly #fetch: typeof fetch

  constructor(url: string, tokens: TokenSource, signer: WebhookSigner) {
    this.#url = url
    this.#signer = signer
    // Sends the token to this origin only. A 401 drops the token, and the request is repeated once.
    this.#fetch = createFetch(tokens, { origins: [new URL(url).origin] })
  }

  async deliver({ id, body }: AcceptedEvent): Promise<Outcome> {
    const response = await this.#fetch(this.#url, {
      method: 'POST',
      // Signed anew at each attempt, by the keys of that moment.
      headers: { 'content-type': 'application/json', ...this.#signer.sign(body, { id }) },
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
    })
    const reason = `${response.status} ${(await response.text()).slice(0, 200)}`
    if (response.ok) return { verdict: 'delivered', reason }
    if (FINAL.has(response.status)) return { verdict: 'refused', reason }
    return { verdict: 'later', reason, retryAfterMs: retryAfterMs(response) }
  }
}
