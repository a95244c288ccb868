import type { Logger } from 'pino'
import type { AcceptedEvent, Outbox } from './outbox'

/** What became of an attempt. `retryAfterMs` is what the other side asks for. */
export interface Outcome {
  verdict: 'delivered' | 'refused' | 'later'
  reason: string
  retryAfterMs?: number | undefined
}

export interface Destination {
  deliver(event: AcceptedEvent): Promise<Outcome>
}

export interface CourierOptions {
  outbox: Outbox
  destination: Destination
  /** An attempt that failed is repeated after `firstMs`, then after twice that, up to `longestMs`. */
  retry: { firstMs: number; longestMs: number }
  log: Logger
}

const AT_ONCE = 16
/** However long the other side asks to be left alone. */
const LONGEST_WISH_MS = 3_600_000

/** Delivers the events of an outbox to one destination, in any order, as often as that takes. */
export class Courier {
  /** How many attempts ended in which way. */
  readonly counts = { delivered: 0, refused: 0, later: 0 }
  readonly #options: CourierOptions
  /** Every event of the outbox, with the number of attempts that failed. */
  readonly #failures = new Map<string, number>()
  readonly #due: string[] = []
  readonly #underWay = new Set<Promise<void>>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #isClosing = false

  constructor(options: CourierOptions) {
    this.#options = options
  }

  /** How many events wait to be delivered. */
  get waiting(): number {
    return this.#failures.size
  }

  /** Continues with what an earlier process has left. */
  async start(): Promise<void> {
    for (const name of await this.#options.outbox.names()) this.#add(name)
  }

  /** Resolves when the event is kept. The sender may forget it then. */
  async accept(event: AcceptedEvent): Promise<void> {
    this.#add(await this.#options.outbox.add(event))
  }

  /** Delivers what is due. What has not begun after `limitMs` stays in the outbox. */
  async close(limitMs: number): Promise<void> {
    this.#isClosing = true
    for (const timer of this.#timers) clearTimeout(timer)
    const limit = setTimeout(() => this.#due.splice(0), limitMs)
    while (this.#underWay.size > 0) await Promise.race(this.#underWay)
    clearTimeout(limit)
  }

  #add(name: string): void {
    if (this.#failures.has(name)) return
    this.#failures.set(name, 0)
    this.#due.push(name)
    this.#work()
  }

  #work(): void {
    while (this.#underWay.size < AT_ONCE) {
      const name = this.#due.shift()
      if (name === undefined) return
      const attempt = this.#attempt(name).then(() => {
        this.#underWay.delete(attempt)
        this.#work()
      })
      this.#underWay.add(attempt)
    }
  }

  async #attempt(name: string): Promise<void> {
    const { outbox, destination, log } = this.#options
    try {
      const event = await outbox.read(name)
      // A repeat came just when the event was delivered.
      if (event === undefined) return void this.#failures.delete(name)
      const { verdict, reason, retryAfterMs } = await destination.deliver(event)
      this.counts[verdict] += 1
      if (verdict === 'later') return this.#later(name, { id: event.id, reason }, retryAfterMs)
      if (verdict === 'refused') log.error({ id: event.id, file: name, reason }, 'refused, and put aside')
      await (verdict === 'delivered' ? outbox.remove(name) : outbox.refuse(name))
      this.#failures.delete(name)
    } catch (err) {
      // No token, no key, no answer: each may come.
      this.counts.later += 1
      this.#later(name, { file: name, err })
    }
  }

  #later(name: string, details: object, atLeastMs = 0): void {
    const { retry, log } = this.#options
    const failures = (this.#failures.get(name) ?? 0) + 1
    this.#failures.set(name, failures)
    const backoffMs = Math.min(retry.firstMs * 2 ** (failures - 1), retry.longestMs)
    const delayMs = Math.max(backoffMs * (0.5 + Math.random() / 2), Math.min(atLeastMs, LONGEST_WISH_MS))
    log.warn({ ...details, failures, delayMs }, 'not delivered yet')
    if (this.#isClosing) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#due.push(name)
      this.#work()
    }, delayMs)
    this.#timers.add(timer)
  }
}

/** Reads `Retry-After` in seconds, the form that webhooks' receivers use. */
export function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? NaN)
  return Number.isFinite(seconds) ? seconds * 1000 : undefined
}
