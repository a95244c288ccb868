import type { TokenManagerMetrics } from '../../index'

/** The part of prom-client's `Registry` that {@link collectMetrics} needs. */
export interface MetricRegister {
  registerMetric(metric: any): void
}

/** Options of {@link collectMetrics}. */
export interface CollectMetricsOptions {
  /**
   * The register for the metrics. Default: the `register` of prom-client, an optional peer
   * dependency.
   */
  register?: MetricRegister | undefined
  /** The prefix of the metrics' names. Default: `'oauth_rotor_'`. */
  prefix?: string | undefined
  /** The value of the label `name`. Default: the manager's name, or `'default'` if it has none. */
  name?: string | undefined
}

/**
 * Adds a manager's metrics to a register of prom-client. They are read at each scrape:
 *
 * - `token_remaining_seconds` (gauge): how long the held token may still be handed out,
 * - `token_refreshes_total{result}` (counter): `success`, `rejected`, `misconfigured`, `throttled`,
 *   `endpoint`,
 * - `token_waits_total` (counter): calls that found no token and had to wait,
 * - `credential_rejections_total` (counter): responses that rejected a credential,
 * - `refresh_duration_seconds` (histogram): how long refreshes took.
 *
 * Each carries the label `name`. Several managers may share a register under different names.
 *
 * @returns A function that removes the manager again. The metrics stay registered.
 * @throws {TypeError} If the register already has a manager with this name, or an option is
 * unknown.
 *
 * @example
 * import { register } from 'prom-client'
 * import { collectMetrics } from 'oauth-rotor/prometheus'
 *
 * collectMetrics(tokens)
 * app.get('/metrics', async (_, response) => {
 *   response.type(register.contentType).send(await register.metrics())
 * })
 */
export function collectMetrics(
  tokens: { metrics(): TokenManagerMetrics; status(): { name: string | undefined } },
  options?: CollectMetricsOptions,
): () => void
