import type { TokenManagerMetrics } from '../../index'

/** The part of prom-client's `Registry` that is needed. */
export interface MetricRegister {
  registerMetric(metric: any): void
}

/** Options of {@link collectMetrics}. */
export interface CollectMetricsOptions {
  /** Where the metrics are shown. Default: the `register` of prom-client, an optional peer dependency. */
  register?: MetricRegister | undefined
  /** What the names of the metrics begin with. Default: `'oauth_rotor_'`. */
  prefix?: string | undefined
  /** The value of the label `name`. Default: the manager's name, `'default'` without one. */
  name?: string | undefined
}

/**
 * Shows a manager's metrics in a register of prom-client, read at each scrape:
 *
 * - `token_remaining_seconds` (gauge): how long the held token may still be handed out,
 * - `token_refreshes_total{result}` (counter): `success`, `rejected`, `misconfigured`, `throttled`,
 *   `endpoint`,
 * - `token_waits_total` (counter): calls that found no token and had to wait,
 * - `credential_rejections_total` (counter): answers that rejected a credential,
 * - `refresh_duration_seconds` (histogram): how long refreshes took.
 *
 * Each carries the label `name`. Several managers may share a register under different names.
 *
 * @returns A function that takes the manager out again. The metrics stay registered.
 * @throws {TypeError} When the register already shows a manager under this name, and for an unknown
 * option.
 *
 * @example
 * import { register } from 'prom-client'
 * import { collectMetrics } from 'oauth-rotor/prometheus'
 *
 * collectMetrics(tokens)
 * app.get('/metrics', async (_, response) => response.type(register.contentType).send(await register.metrics()))
 */
export function collectMetrics(
  tokens: { metrics(): TokenManagerMetrics; status(): { name: string | undefined } },
  options?: CollectMetricsOptions,
): () => void
