import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebhookSigner, fromFile, genesysCloud } from 'oauth-rotor'
import { fakeAuthorizationServer, fakePagerDuty } from 'oauth-rotor/testing'
import { pino } from 'pino'
import type { Configuration } from '../src/configuration'
import { startService, type Listen, type Service } from '../src/service'
import { startReceiver } from './receiver'

export const INTEGRATION_KEY = '0123456789abcdef0123456789abcdef'

/** Everything that the service talks to, on this machine, and the service. `close()` ends it all. */
export async function startWorld(listen: Listen) {
  const directory = await mkdtemp(join(tmpdir(), 'webhook-service-'))
  const secrets = {
    write: (name: string, text: string) => writeFile(join(directory, name), text),
    read: (name: string) => readFile(join(directory, name), 'utf8'),
    slots: (name: string) =>
      ['a', 'b'].map((slot) => ({ key: fromFile(join(directory, `${name}-${slot}`)), label: slot })),
  }
  for (const name of ['genesys', 'receiver', 'pagerduty']) {
    for (const slot of ['a', 'b']) await secrets.write(`${name}-${slot}`, `key of ${name} in slot ${slot}`)
  }
  await secrets.write('integration-key', INTEGRATION_KEY)

  const auth = await fakeAuthorizationServer({ clients: { app: 'secret' } })
  const pagerDuty = await fakePagerDuty({ routingKeys: [INTEGRATION_KEY] })
  const receiver = await startReceiver(`${auth.url}/api/v2/tokens/me`, {
    a: await secrets.read('receiver-a'),
    b: await secrets.read('receiver-b'),
  })
  const configuration: Configuration = {
    port: 0,
    outbox: join(directory, 'outbox'),
    tokens: {
      provider: genesysCloud({ host: auth.url }),
      credentials: { clientId: 'app', clientSecret: 'secret' },
    },
    keys: {
      genesys: secrets.slots('genesys'),
      receiver: secrets.slots('receiver'),
      pagerDuty: secrets.slots('pagerduty'),
    },
    sourcePollMs: 20,
    receiverUrl: receiver.url,
    pagerDutyUrl: pagerDuty.url,
    integrationKey: () => secrets.read('integration-key'),
    retry: { firstMs: 10, longestMs: 100 },
    drainMs: 10_000,
    log: pino({ level: 'silent' }),
  }
  let service = await startService(configuration, listen)

  return {
    auth,
    pagerDuty,
    receiver,
    secrets,
    get service(): Service {
      return service
    },
    /** As a deployment does: the old process ends, then a new one starts. */
    async restart() {
      await service.close()
      service = await startService(configuration, listen)
    },
    /** Sends a body as Genesys Cloud or PagerDuty does. */
    async send(from: 'genesys' | 'pagerduty', event: object, headers?: Record<string, string>) {
      const body = JSON.stringify(event)
      const signer = new WebhookSigner({ scheme: from, keys: await secrets.read(`${from}-a`) })
      const response = await fetch(`http://127.0.0.1:${service.port}/${from}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(headers ?? signer.sign(body)) },
        body,
      })
      return response.status
    },
    get: (path: string) => fetch(`http://127.0.0.1:${service.port}${path}`),
    refused: (destination: string) => readdir(join(directory, 'outbox', destination, 'refused')),
    async close() {
      await service.close()
      await Promise.all([auth.close(), pagerDuty.close(), receiver.close()])
      await rm(directory, { recursive: true })
    },
  }
}

/** Less than Jest gives a test, so that no wait outlives its test. */
const LONGEST_WAIT_MS = 25_000

/** Resolves once the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + LONGEST_WAIT_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never so: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
