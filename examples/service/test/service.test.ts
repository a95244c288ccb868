import { listen as listenWithExpress } from '../src/express-server'
import { listen as listenWithFastify } from '../src/fastify-server'
import { startWorld, until } from './world'

const MESSAGE = { id: 'message-1', type: 'Text', text: 'A refund failed', direction: 'Outbound' }
const INCIDENT = { event: { id: 'event-1', event_type: 'incident.acknowledged', resource_type: 'incident' } }

describe.each([
  ['Express', listenWithExpress],
  ['Fastify', listenWithFastify],
])('with %s', (_, listen) => {
  let world: Awaited<ReturnType<typeof startWorld>>

  beforeEach(async () => {
    world = await startWorld(listen)
  })
  afterEach(() => world.close())

  test('a Genesys event goes to the receiver, with token and signature, and becomes an alert', async () => {
    const { receiver, pagerDuty } = world
    expect(await world.send('genesys', MESSAGE)).toBe(200)
    await until(() => receiver.events.length === 1 && pagerDuty.alerts.length === 1)

    const [event] = receiver.events
    expect(event).toMatchObject({ id: MESSAGE.id, body: JSON.stringify(MESSAGE) })
    // A signature of each key, and the id for repeats.
    expect(event?.headers['x-pagerduty-signature']).toMatch(/^v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/)
    expect(event?.headers['x-webhook-id']).toBe(MESSAGE.id)
    expect(pagerDuty.alerts).toMatchObject([{ dedupKey: MESSAGE.id, payload: { summary: MESSAGE.text } }])
    // The Events API gets neither.
    expect(pagerDuty.requests[0]?.headers).not.toHaveProperty('authorization')
    expect(pagerDuty.requests[0]?.headers).not.toHaveProperty('x-pagerduty-signature')
  })

  test('an event without a good signature is not accepted', async () => {
    const wrong = { 'x-hub-signature-256': `sha256=${Buffer.alloc(32).toString('base64')}` }
    expect(await world.send('genesys', MESSAGE, {})).toBe(400)
    expect(await world.send('genesys', MESSAGE, { 'x-hub-signature-256': 'nothing' })).toBe(400)
    expect(await world.send('genesys', MESSAGE, wrong)).toBe(401)
    expect(await world.send('pagerduty', INCIDENT, { 'x-pagerduty-signature': `v1=${'0'.repeat(64)}` })).toBe(
      403,
    )
    expect(await world.send('genesys', { text: 'no id' })).toBe(400)
    expect(world.receiver.answers).toEqual([])
    expect(world.pagerDuty.requests).toEqual([])
  })

  test('429 and 5xx are tried again with the same dedup_key, a 400 is not', async () => {
    const { pagerDuty } = world
    pagerDuty.respond({ status: 429 }, { status: 503 }, { destroy: true })
    await world.send('genesys', MESSAGE)
    await until(() => pagerDuty.alerts.length === 1)
    expect(pagerDuty.requests.map(({ status }) => status)).toEqual([429, 503, 'cut', 202])
    expect(new Set(pagerDuty.requests.map(({ event }) => event?.['dedup_key']))).toEqual(
      new Set([MESSAGE.id]),
    )

    pagerDuty.respond({ status: 400, body: { status: 'invalid event' } })
    await world.send('genesys', { ...MESSAGE, id: 'message-2' })
    await until(async () => (await world.refused('alerts')).length === 1)
    expect(pagerDuty.requests.length).toBe(5)
  })

  test('a new integration key is used from the next attempt on', async () => {
    const { pagerDuty, secrets } = world
    const next = 'fedcba9876543210fedcba9876543210'
    pagerDuty.set({ routingKeys: [next] })
    await secrets.write('integration-key', next)
    await world.send('genesys', MESSAGE)
    await until(() => pagerDuty.alerts.length === 1)
    expect(pagerDuty.alerts).toMatchObject([{ routingKey: next }])
  })

  test('a key is rolled without a refused event, whichever side has the new one first', async () => {
    const { receiver, secrets } = world
    const send = async (id: string) => {
      expect(await world.send('genesys', { ...MESSAGE, id })).toBe(200)
      await until(() => receiver.events.some((event) => event.id === id))
    }
    const signedWith = async (id: string) => {
      await send(id)
      return receiver.events.at(-1)?.key
    }
    const a = await secrets.read('receiver-a')
    // The newest key that has made a signature is told.
    receiver.accept({ b: 'the new key', a })
    expect(await signedWith('before')).toBe('a')
    await secrets.write('receiver-b', 'the new key')
    await until(async () => (await signedWith(`probe-${receiver.events.length}`)) === 'b')
    // The next roll replaces the other one.
    receiver.accept({ b: 'the new key' })
    expect(await signedWith('after')).toBe('b')
    expect(new Set(receiver.answers)).toEqual(new Set([200]))
  })

  test('a revoked token costs one 401 and no event', async () => {
    const { auth, receiver } = world
    await world.send('genesys', MESSAGE)
    await until(() => receiver.events.length === 1)
    auth.revoke()
    await world.send('genesys', { ...MESSAGE, id: 'message-2' })
    await until(() => receiver.events.length === 2)
    expect(receiver.answers).toEqual([200, 401, 200])
  })

  test('a webhook of PagerDuty goes to the receiver once, however often it comes', async () => {
    const { receiver } = world
    const sent = Array.from({ length: 5 }, () => world.send('pagerduty', INCIDENT))
    expect(await Promise.all(sent)).toEqual([200, 200, 200, 200, 200])
    await until(() => receiver.events.length === 1)
    await world.send('pagerduty', { event: { ...INCIDENT.event, id: 'event-2' } })
    await until(() => receiver.events.length === 2)
    expect(receiver.answers).toEqual([200, 200])
  })

  test('what is not delivered when the service ends is delivered after its restart', async () => {
    const { receiver, pagerDuty } = world
    pagerDuty.set({ outage: 503 })
    expect(await world.send('genesys', MESSAGE)).toBe(200)
    await until(() => receiver.events.length === 1 && pagerDuty.requests.length > 0)
    await world.restart()
    expect(pagerDuty.alerts).toEqual([])
    pagerDuty.set({ outage: false })
    await until(() => pagerDuty.alerts.length === 1)
    expect(receiver.answers).toEqual([200])
  })

  test('probes and metrics say how it is', async () => {
    const { pagerDuty, receiver } = world
    expect((await world.get('/live')).status).toBe(200)
    expect((await world.get('/ready')).status).toBe(200)
    pagerDuty.set({ outage: 503 })
    await world.send('genesys', MESSAGE)
    await until(() => receiver.events.length === 1)
    const metrics = await (await world.get('/metrics')).text()
    expect(metrics).toContain('webhooks_attempts_total{destination="receiver",verdict="delivered"} 1')
    expect(metrics).toContain('webhooks_waiting{destination="alerts"} 1')
    expect(metrics).toContain('oauth_rotor_token_refreshes_total{name="default",result="success"} 1')
    // PagerDuty's outage is no reason to send the events elsewhere.
    expect((await world.get('/ready')).status).toBe(200)
  })
})
