import type { TokenManager, WebhookSigner } from 'oauth-rotor'
import { collectMetrics } from 'oauth-rotor/prometheus'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Courier } from './courier'

export interface ProbesOptions {
  tokens: TokenManager
  signers: Record<'genesys' | 'receiver' | 'pagerDuty', WebhookSigner>
  couriers: Record<string, Courier>
}

/** What Kubernetes and Prometheus ask. */
export class Probes {
  readonly contentType: string
  readonly #options: ProbesOptions
  readonly #register = new Registry()
  #isClosing = false

  constructor(options: ProbesOptions) {
    this.#options = options
    this.contentType = this.#register.contentType
    collectMetrics(options.tokens, { register: this.#register })
    const { couriers } = options
    new Gauge({
      name: 'webhooks_waiting',
      help: 'Events that are accepted and not delivered yet',
      labelNames: ['destination'],
      registers: [this.#register],
      collect() {
        for (const [destination, { waiting }] of Object.entries(couriers)) this.set({ destination }, waiting)
      },
    })
    new Counter({
      name: 'webhooks_attempts_total',
      help: 'Attempts to deliver an event, by their verdict: delivered, refused, later',
      labelNames: ['destination', 'verdict'],
      registers: [this.#register],
      collect() {
        this.reset()
        for (const [destination, { counts }] of Object.entries(couriers)) {
          for (const [verdict, count] of Object.entries(counts)) this.inc({ destination, verdict }, count)
        }
      },
    })
  }

  /** False only if a restart helps. */
  live(): boolean {
    return this.#options.tokens.health().live
  }

  /**
   * Whether events can be verified and kept. Nothing else is needed for that: without a token, events
   * wait in the outbox. If the service called itself unready then, its senders would lose them.
   */
  ready(): boolean {
    const { genesys, pagerDuty } = this.#options.signers
    return !this.#isClosing && genesys.health().verifies && pagerDuty.health().verifies
  }

  /** What is wrong, for people. docs/alerts.md and docs/webhooks.md say what to do. */
  problems(): object[] {
    const { tokens, signers } = this.#options
    return [tokens, ...Object.values(signers)].flatMap((part): object[] => part.health().problems)
  }

  metrics(): Promise<string> {
    return this.#register.metrics()
  }

  /** The service is about to end: no more requests, please. */
  close(): void {
    this.#isClosing = true
  }
}
