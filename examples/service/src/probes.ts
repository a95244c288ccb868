import type { TokenManager, WebhookSigner } from 'oauth-rotor'
import { collectMetrics } from 'oauth-rotor/prometheus'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Courier } from './courier'

export interface ProbesOptions {
  tokens: TokenManager
  signers: Record<string, WebhookSigner>
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
   * Whether events can be verified and kept. A token is not needed for that: without one, events
   * wait in the outbox. An instance that calls itself unready would have its sender lose them.
   */
  ready(): boolean {
    return !this.#isClosing && Object.values(this.#options.signers).every((signer) => signer.health().ready)
  }

  /** What is wrong, for people. */
  problems(): { code: string; message: string }[] {
    const { tokens, signers } = this.#options
    return [tokens, ...Object.values(signers)].flatMap(
      (part): { code: string; message: string }[] => part.health().problems,
    )
  }

  metrics(): Promise<string> {
    return this.#register.metrics()
  }

  /** The service is about to end: no more requests, please. */
  close(): void {
    this.#isClosing = true
  }
}
