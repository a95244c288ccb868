import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromDirectory, fromFile, genesysCloud } from 'oauth-rotor'
import type { TokenManagerOptions, WebhookSignerOptions } from 'oauth-rotor'
import { pino, type Logger } from 'pino'

/** What the service needs to know. Every secret is a source that is read again as it runs. */
export interface Configuration {
  /** 0 takes any free port. */
  port: number
  /** Where events are kept until they are delivered: on a disk that survives a restart. */
  outbox: string
  tokens: TokenManagerOptions
  /** Each has two keys, of which one is replaced at a time. */
  keys: Record<'genesys' | 'receiver' | 'pagerDuty', WebhookSignerOptions['keys']>
  /** How often the keys are read again. */
  sourcePollMs: number
  receiverUrl: string
  /** PagerDuty's Events API: `https://events.pagerduty.com`, in the EU `https://events.eu.pagerduty.com`. */
  pagerDutyUrl: string
  /** The integration key of a PagerDuty service. It is asked for at each attempt. */
  integrationKey: () => Promise<string>
  /** An attempt that failed is repeated after `firstMs`, then after twice that, up to `longestMs`. */
  retry: { firstMs: number; longestMs: number }
  /** How long deliveries may still begin when the service ends. One takes up to 15 s. */
  drainMs: number
  log: Logger
}

/** Reads the variables of a process. `SECRETS` is a directory, such as a mounted Kubernetes Secret. */
export function readConfiguration(env: NodeJS.ProcessEnv): Configuration {
  const secrets = required(env, 'SECRETS')
  const sourcePollMs = Number(env['SOURCE_POLL_MS'] ?? 10_000)
  const file = (name: string) => join(secrets, name)
  const pair = (name: string) =>
    ['a', 'b'].map((slot) => ({ key: fromFile(file(`${name}-${slot}`)), label: slot }))
  return {
    port: Number(env['PORT'] ?? 8080),
    outbox: required(env, 'OUTBOX'),
    tokens: {
      name: 'webhook-service',
      provider: genesysCloud(
        env['GC_HOST'] ? { host: env['GC_HOST'] } : { region: required(env, 'GC_REGION') },
      ),
      credentials: fromDirectory(secrets, { clientId: 'gc-client-id', clientSecret: 'gc-client-secret' }),
      timeZone: env['TZ'] ?? 'America/Sao_Paulo',
      sourcePollMs,
      overlapMs: env['OVERLAP_MS'] ? Number(env['OVERLAP_MS']) : undefined,
    },
    keys: {
      genesys: pair('genesys-webhook-key'),
      receiver: pair('receiver-key'),
      pagerDuty: pair('pagerduty-webhook-key'),
    },
    sourcePollMs,
    receiverUrl: required(env, 'RECEIVER_URL'),
    pagerDutyUrl: env['PAGERDUTY_URL'] ?? 'https://events.pagerduty.com',
    integrationKey: async () => (await readFile(file('pagerduty-integration-key'), 'utf8')).trim(),
    retry: { firstMs: 1000, longestMs: 60_000 },
    drainMs: 20_000,
    log: pino(),
  }
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]
  if (!value) throw new Error(`The environment variable ${name} is missing`)
  return value
}
