import { retryAfterMs, type Destination, type Outcome } from './courier'
import type { AcceptedEvent } from './outbox'

/**
 * PagerDuty's Events API v2. It takes no token and checks no signature: the integration key in the
 * body is all that it knows a sender by.
 */
export class Alerts implements Destination {
  readonly #url: string
  readonly #integrationKey: () => Promise<string>

  constructor(pagerDutyUrl: string, integrationKey: () => Promise<string>) {
    this.#url = new URL('/v2/enqueue', pagerDutyUrl).href
    this.#integrationKey = integrationKey
  }

  async deliver({ id, body }: AcceptedEvent): Promise<Outcome> {
    const event = JSON.parse(body.toString('utf8'))
    const alert = {
      routing_key: await this.#integrationKey(),
      event_action: 'trigger',
      // A repeat joins the alert that is there.
      dedup_key: id,
      payload: {
        summary: String(event.text ?? event.type ?? `Event ${id}`).slice(0, 1024),
        source: 'genesys-cloud',
        severity: 'warning',
        custom_details: event,
      },
    }
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alert),
      signal: AbortSignal.timeout(10_000),
    })
    const reason = `${response.status} ${(await response.text()).slice(0, 200)}`
    if (response.ok) return { verdict: 'delivered', reason }
    // A 400 says that the event or the integration key is wrong: it stays so, however often it is sent.
    const isTemporary = response.status === 429 || response.status >= 500
    if (!isTemporary) return { verdict: 'refused', reason }
    return { verdict: 'later', reason, retryAfterMs: retryAfterMs(response) }
  }
}
