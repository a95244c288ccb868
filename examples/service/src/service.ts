import { join } from 'node:path'
import { TokenManager, WebhookSigner } from 'oauth-rotor'
import type { Logger } from 'pino'
import { Alerts } from './alerts'
import type { Configuration } from './configuration'
import { Courier, type Destination } from './courier'
import { Intake } from './intake'
import { Outbox } from './outbox'
import { Probes } from './probes'
import { Receiver } from './receiver'

/** Starts the routes, in express-server.ts or fastify-server.ts. */
export type Listen = (parts: { intake: Intake; probes: Probes; port: number; log: Logger }) => Promise<{
  port: number
  /** Takes no more requests; resolves when those under way are answered. */
  close(): Promise<void>
}>

export interface Service {
  port: number
  close(): Promise<void>
}

/** Puts the parts together. Resolves when requests are taken. */
export async function startService(configuration: Configuration, listen: Listen): Promise<Service> {
  const { keys, sourcePollMs, retry, drainMs, port, log } = configuration
  const tokens = new TokenManager(configuration.tokens)
  tokens.on('rotation', ({ change, message }) => log.info({ change }, message))
  const signers = {
    genesys: new WebhookSigner({ scheme: 'genesys', keys: keys.genesys, sourcePollMs }),
    receiver: new WebhookSigner({ scheme: 'pagerduty', keys: keys.receiver, sourcePollMs }),
    pagerDuty: new WebhookSigner({ scheme: 'pagerduty', keys: keys.pagerDuty, sourcePollMs }),
  }
  for (const [name, signer] of Object.entries(signers)) {
    signer.on('key-added', ({ key }) => log.info({ signer: name, key }, 'a key is in use'))
    signer.on('key-retired', ({ key }) => log.info({ signer: name, key }, 'a key is no longer in use'))
    signer.on('key-unreadable', ({ key, message }) => log.error({ signer: name, key }, message))
  }

  const courier = async (name: string, destination: Destination) =>
    new Courier({
      outbox: await Outbox.open(join(configuration.outbox, name)),
      destination,
      retry,
      log: log.child({ destination: name }),
    })
  const receiver = await courier(
    'receiver',
    new Receiver(configuration.receiverUrl, tokens, signers.receiver),
  )
  const alerts = await courier('alerts', new Alerts(configuration.pagerDutyUrl, configuration.integrationKey))
  const couriers = { receiver, alerts }

  // Without keys nothing can be verified. Without a token, events wait in the outbox.
  await Promise.all(Object.values(signers).map((signer) => signer.ready()))
  const intake = new Intake({ signers, receiver, alerts })
  const probes = new Probes({ tokens, signers, couriers })
  const server = await listen({ intake, probes, port, log })
  await Promise.all(Object.values(couriers).map((courier) => courier.start()))

  return {
    port: server.port,
    /** Takes no more, finishes what it has taken as far as that is possible now, and lets go. */
    async close() {
      probes.close()
      await server.close()
      await Promise.all(Object.values(couriers).map((courier) => courier.close(drainMs)))
      await Promise.all([tokens, ...Object.values(signers)].map((part) => part.close()))
    },
  }
}
