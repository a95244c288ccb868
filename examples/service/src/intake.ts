import type { IncomingHttpHeaders } from 'node:http'
import { memorySeen, type WebhookSigner } from 'oauth-rotor'
import type { Courier } from './courier'

/** An event that is signed well and says too little. */
class EventError extends Error {
  readonly status = 400
  readonly code = 'ERR_EVENT'
}

export interface IntakeOptions {
  /** They verify what Genesys Cloud and PagerDuty send. */
  signers: { genesys: WebhookSigner; pagerDuty: WebhookSigner }
  receiver: Courier
  alerts: Courier
}

/**
 * Verifies what comes in, and keeps it. The methods throw the errors of `verify()`, whose `status`
 * is what the sender is to be answered.
 */
export class Intake {
  readonly #options: IntakeOptions
  /** Ids of PagerDuty's events. Several instances share them in Redis: docs/webhooks.md. */
  readonly #seen = memorySeen()

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** An event of Genesys Cloud goes to the receiver, and becomes an alert. */
  async genesys(body: Buffer, headers: IncomingHttpHeaders): Promise<void> {
    const { signers, receiver, alerts } = this.#options
    signers.genesys.verify(body, headers)
    const id = idOf(body)
    // A repeat is kept again, which is harmless: both destinations drop it by its id. To drop one
    // here that is not kept yet would lose the event.
    await Promise.all([receiver.accept({ id, body }), alerts.accept({ id, body })])
  }

  /** An event of a PagerDuty incident goes to the receiver, once. */
  async pagerDuty(body: Buffer, headers: IncomingHttpHeaders): Promise<void> {
    const { signers, receiver } = this.#options
    const result = signers.pagerDuty.verify(body, headers)
    const { id } = result
    if (id === undefined) throw new EventError('The event has no id')
    await signers.pagerDuty.handleOnce(result, this.#seen, () => receiver.accept({ id, body }))
  }
}

/** The id becomes a header and PagerDuty's `dedup_key`, which has at most 255 characters. */
function idOf(body: Buffer): string {
  let event: { id?: unknown } | null
  try {
    event = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new EventError('The event is no JSON', { cause })
  }
  const id = event?.id
  if (typeof id !== 'string' || !/^[!-~]{1,255}$/.test(id)) throw new EventError('The event has no id')
  return id
}
