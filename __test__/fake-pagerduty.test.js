'use strict'

const { createClock, fakePagerDuty } = require('../lib/testing')
const { answerOf } = require('./support/token-client')
const { closeAll, closing, manager, server: fakeServer } = require('./support/world')

afterEach(closeAll)

const KEY = '0123456789abcdef0123456789abcdef'
const OTHER_KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'

const open = async (options) => closing(await fakePagerDuty(options))

const details = { summary: 'Webhook failed', source: 'payments', severity: 'error' }
const trigger = { routing_key: KEY, event_action: 'trigger', dedup_key: 'order-7', payload: details }
const about = (event_action, rest) => ({ routing_key: KEY, event_action, dedup_key: 'order-7', ...rest })

/** One request: `{ status, headers, text, body }`. A text is sent as it is. */
async function post(server, event, path = '/v2/enqueue', options) {
  const body = typeof event === 'string' ? event : JSON.stringify(event)
  return answerOf(await fetch(`${server.url}${path}`, { method: 'POST', body, ...options }))
}

const change = (server, event) => post(server, event, '/v2/change/enqueue')

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('an alert', () => {
  test('is opened by a trigger, which is answered as PagerDuty answers it', async () => {
    const clock = createClock()
    const server = await open({ clock })
    const { status, headers, body } = await post(server, trigger)
    expect(status).toBe(202)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('date')).toBe('Thu, 01 Jan 2026 00:00:00 GMT')
    expect(body).toEqual({ status: 'success', message: 'Event processed', dedup_key: 'order-7' })
    expect(server.alerts).toEqual([
      {
        at: clock.now(),
        dedupKey: 'order-7',
        routingKey: KEY,
        status: 'triggered',
        triggers: 1,
        payload: details,
      },
    ])
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  test('stays one when its trigger comes again, with the latest payload', async () => {
    const server = await open()
    await post(server, trigger)
    await post(server, about('trigger', { payload: { ...details, severity: 'critical' } }))
    expect(server.alerts).toMatchObject([{ triggers: 2, payload: { severity: 'critical' } }])
  })

  test('gets a key of 32 hexadecimal digits when it has none, and is another one each time', async () => {
    const server = await open()
    const keys = []
    for (const dedup_key of [undefined, null, '']) {
      keys.push((await post(server, about('trigger', { dedup_key, payload: details }))).body.dedup_key)
    }
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/)
    expect(server.alerts.map(({ dedupKey }) => dedupKey)).toEqual(keys)
    expect(new Set(keys).size).toBe(3)
  })

  test('is acknowledged, stays so when it is triggered again, and is resolved', async () => {
    const server = await open()
    const statuses = []
    for (const event of [trigger, about('acknowledge'), trigger, about('resolve')]) {
      expect((await post(server, event)).body).toMatchObject({ status: 'success', dedup_key: 'order-7' })
      statuses.push(server.alerts[0].status)
    }
    expect(statuses).toEqual(['triggered', 'acknowledged', 'acknowledged', 'resolved'])
    expect(server.alerts).toMatchObject([{ triggers: 2 }])
  })

  test('that is resolved stays so: the next trigger opens another one', async () => {
    const server = await open()
    for (const event of [trigger, about('resolve'), about('acknowledge'), trigger]) await post(server, event)
    expect(server.alerts.map(({ status }) => status)).toEqual(['resolved', 'triggered'])
  })

  test('is of its routing key alone', async () => {
    const server = await open()
    await post(server, trigger)
    await post(server, { ...trigger, routing_key: OTHER_KEY })
    await post(server, about('resolve', { routing_key: OTHER_KEY }))
    expect(server.alerts).toMatchObject([
      { routingKey: KEY, status: 'triggered' },
      { routingKey: OTHER_KEY, status: 'resolved' },
    ])
  })

  test('that does not exist is acknowledged and resolved in vain', async () => {
    const server = await open()
    expect((await post(server, about('acknowledge'))).status).toBe(202)
    expect((await post(server, about('resolve'))).status).toBe(202)
    expect(server.alerts).toEqual([])
  })
})

test('a change event is recorded, and is no alert', async () => {
  const clock = createClock()
  const server = await open({ clock })
  const payload = { summary: 'Secret rotated', custom_details: { client: 'app' } }
  const { status, body } = await change(server, { routing_key: KEY, payload })
  expect(status).toBe(202)
  expect(body).toEqual({ status: 'success', message: 'Change event processed' })
  expect(server.changes).toEqual([{ at: clock.now(), routingKey: KEY, payload }])
  expect(server.alerts).toEqual([])
})

describe('what is refused', () => {
  const missing = (name) => `'${name}' is missing or blank`
  const wrongLength = "Length of 'routing_key' is incorrect (should be 32 characters)"
  const wrongCharacters = "'routing_key' cannot contain non-alphanumeric characters."
  const tooLong = "'summary' is too long (maiximum is 1024 characters)"
  const payload = (rest) => ({ ...trigger, payload: { ...details, ...rest } })

  test.each([
    ['nothing', {}, ["'routing_key' cannot be blank", missing('event_action')]],
    ['a short routing key', { ...trigger, routing_key: 'abc' }, [wrongLength]],
    [
      'a token of the REST API',
      { ...trigger, routing_key: 'e+_secret-of-20-char' },
      [wrongLength, wrongCharacters],
    ],
    ['a blank routing key', { ...trigger, routing_key: ' ' }, ["'routing_key' cannot be blank"]],
    ['a routing key with a dash', { ...trigger, routing_key: `-${KEY.slice(1)}` }, [wrongCharacters]],
    ['a number as routing key', { ...trigger, routing_key: 7 }, [wrongLength]],
    ['a list as routing key', { ...trigger, routing_key: [KEY] }, [wrongLength]],
    ['no action', { ...trigger, event_action: '' }, [missing('event_action')]],
    [
      'another action',
      { ...trigger, event_action: 'close' },
      ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"],
    ],
    [
      'no payload',
      { ...trigger, payload: undefined },
      [missing('payload.summary'), missing('payload.source'), missing('payload.severity')],
    ],
    ['a blank summary', payload({ summary: ' ' }), [missing('payload.summary')]],
    [
      'a summary that is no text',
      payload({ summary: {} }),
      ["'payload.summary' is invalid (must be a string)"],
    ],
    ['a long summary', payload({ summary: 'x'.repeat(1025) }), [tooLong]],
    ['no source', payload({ source: null }), [missing('payload.source')]],
    [
      'another severity',
      payload({ severity: 'Critical' }),
      [
        "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
      ],
    ],
    ['an acknowledge of nothing', about('acknowledge', { dedup_key: undefined }), [missing('dedup_key')]],
    ['a resolve of nothing', about('resolve', { dedup_key: '' }), [missing('dedup_key')]],
    ['a number as dedup key', { ...trigger, dedup_key: 7 }, ["'dedup_key' is invalid (must be a string)"]],
    [
      'a long dedup key',
      { ...trigger, dedup_key: 'x'.repeat(256) },
      ["'dedup_key' is too long (maximum is 255 characters)"],
    ],
  ])('an alert event with %s', async (_, event, errors) => {
    const server = await open()
    expect(await post(server, event)).toMatchObject({
      status: 400,
      body: { status: 'invalid event', message: 'Event object is invalid', errors },
    })
    expect(server.alerts).toEqual([])
    expect(server.requests).toMatchObject([{ event: JSON.parse(JSON.stringify(event)), status: 400 }])
  })

  test('is nothing at the very limits', async () => {
    const server = await open()
    const summary = '🔥'.repeat(1024)
    const event = { ...payload({ summary }), dedup_key: 'x'.repeat(255) }
    expect((await post(server, event)).status).toBe(202)
    for (const severity of ['critical', 'error', 'warning', 'info']) {
      expect((await post(server, payload({ severity }))).status).toBe(202)
    }
    expect((await post(server, about('resolve', { payload: { severity: 'any' } }))).status).toBe(202)
  })

  test.each([
    ['no routing key', { payload: { summary: 'Deployed' } }, ["'routing_key' cannot be blank"]],
    ['no payload', { routing_key: KEY }, [missing('payload.summary')]],
    ['a long summary', { routing_key: KEY, payload: { summary: 'x'.repeat(1025) } }, [tooLong]],
  ])('a change event with %s', async (_, event, errors) => {
    const server = await open()
    expect(await change(server, event)).toMatchObject({
      status: 400,
      body: { status: 'invalid event', errors },
    })
    expect(server.changes).toEqual([])
  })

  test.each([['not JSON'], ['[]'], ['null'], ['"text"'], ['']])('a body that is %p', async (body) => {
    const server = await open()
    expect(await post(server, body)).toMatchObject({
      status: 400,
      body: {
        status: 'Unrecognized object',
        message: 'Event object format is unrecognized',
        errors: ['JSON parse error'],
      },
    })
    expect(server.requests).toMatchObject([{ body, event: undefined }])
  })

  test('a body that is too large', async () => {
    const server = await open()
    const sized = (bytes) => {
      const event = payload({ custom_details: '' })
      event.payload.custom_details = 'x'.repeat(bytes - Buffer.byteLength(JSON.stringify(event)))
      return event
    }
    expect((await post(server, sized(524_288))).status).toBe(202)
    expect(await post(server, sized(524_289))).toMatchObject({
      status: 413,
      body: { status: 'invalid event' },
    })
    server.set({ maxBytes: 1000, tooLargeStatus: 400 })
    expect((await post(server, sized(1000))).status).toBe(202)
    expect((await post(server, sized(1001))).status).toBe(400)
    // In bytes, of which this character has three.
    const euros = payload({ custom_details: '€'.repeat(300) })
    expect((await post(server, euros)).status).toBe(400)
    expect(server.alerts).toMatchObject([{ triggers: 2 }])
  })

  test('a routing key that there is not', async () => {
    const server = await open({ routingKeys: [OTHER_KEY] })
    const invalid = { status: 'invalid event', errors: ['Invalid routing key'] }
    expect(await post(server, trigger)).toMatchObject({ status: 400, body: invalid })
    expect(await change(server, trigger)).toMatchObject({ status: 400, body: invalid })
    expect((await post(server, { ...trigger, routing_key: OTHER_KEY })).status).toBe(202)
    server.set({ routingKeys: null })
    expect((await post(server, trigger)).status).toBe(202)
  })

  test('other paths and methods', async () => {
    const server = await open()
    expect((await post(server, trigger, '/enqueue')).status).toBe(404)
    const { status, headers } = await answerOf(await fetch(`${server.url}/v2/enqueue?a=b`))
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
    expect(server.requests).toMatchObject([
      { method: 'POST', path: '/enqueue', status: 404 },
      { method: 'GET', path: '/v2/enqueue', body: '', status: 405 },
    ])
    expect(server.alerts).toEqual([])
  })
})

test('the log has each request as it came, so that a test sees a token that went astray', async () => {
  const clock = createClock()
  const server = await open({ clock })
  await post(server, trigger, '/v2/enqueue', { headers: { Authorization: 'Bearer mine' } })
  await clock.advance(5000)
  await change(server, 'not JSON')
  expect(server.requests).toMatchObject([
    {
      at: clock.now() - 5000,
      method: 'POST',
      path: '/v2/enqueue',
      headers: { authorization: 'Bearer mine' },
      body: JSON.stringify(trigger),
      event: trigger,
      status: 202,
    },
    { at: clock.now(), path: '/v2/change/enqueue', body: 'not JSON', event: undefined, status: 400 },
  ])
})

describe('rateLimit', () => {
  const statuses = async (server, count, event = trigger) => {
    const got = []
    for (let i = 0; i < count; i++) got.push((await post(server, event)).status)
    return got
  }

  test('refuses what goes beyond the burst, until its time is over', async () => {
    const clock = createClock()
    const server = await open({ clock, rateLimit: { burst: 2, perMs: 60_000 } })
    expect(await statuses(server, 1)).toEqual([202])
    await clock.advance(30_000)
    expect(await statuses(server, 1)).toEqual([202])
    const { status, headers, body } = await post(server, trigger)
    expect(status).toBe(429)
    expect(headers.has('retry-after')).toBe(false)
    expect(body).toEqual({
      status: 'throttle exceeded',
      message: 'Requests for this service are arriving too quickly.  Please retry later.',
    })
    await clock.advance(29_999)
    expect(await statuses(server, 1)).toEqual([429])
    await clock.advance(1)
    expect(await statuses(server, 2)).toEqual([202, 429])
    expect(server.alerts).toMatchObject([{ triggers: 3 }])
    server.set({ rateLimit: null })
    expect(await statuses(server, 2)).toEqual([202, 202])
  })

  test('is for each routing key, for alerts and changes together; what is invalid does not count', async () => {
    const server = await open({ rateLimit: { burst: 2, perMs: 60_000 } })
    expect(await statuses(server, 2, { routing_key: KEY })).toEqual([400, 400])
    expect(await statuses(server, 1)).toEqual([202])
    expect((await change(server, { routing_key: KEY, payload: { summary: 'Deployed' } })).status).toBe(202)
    expect(await statuses(server, 1)).toEqual([429])
    expect(await statuses(server, 3, { ...trigger, routing_key: OTHER_KEY })).toEqual([202, 202, 429])
  })
})

test('an outage cuts connections, answers with a status, or shows a page of HTML; no event is taken', async () => {
  const server = await open({ outage: true })
  await expect(post(server, trigger)).rejects.toThrow('fetch failed')
  server.set({ outage: 503 })
  expect(await post(server, trigger)).toMatchObject({ status: 503, body: { status: 'error' } })
  server.set({ outage: 429 })
  expect(await post(server, trigger)).toMatchObject({ status: 429, body: { status: 'throttle exceeded' } })
  server.set({ outage: 'html' })
  const page = await post(server, trigger)
  expect([page.status, page.headers.get('content-type')]).toEqual([502, 'text/html'])
  expect(page.text).toContain('<html>')
  expect(server.alerts).toEqual([])
  expect(server.requests.map(({ status }) => status)).toEqual(['cut', 503, 429, 502])
  server.set({ outage: false })
  expect((await post(server, trigger)).status).toBe(202)
})

test('dropResponse takes the event and cuts the connection, so that a repetition shows', async () => {
  const server = await open({ dropResponse: true })
  await expect(post(server, trigger)).rejects.toThrow('fetch failed')
  server.set({ dropResponse: false })
  expect((await post(server, trigger)).status).toBe(202)
  expect(server.requests.map(({ status }) => status)).toEqual(['cut', 202])
  expect(server.alerts).toMatchObject([{ triggers: 2 }])
})

describe('latencyMs', () => {
  test('passes on the clock, and the event is taken at its end', async () => {
    const clock = createClock()
    const server = await open({ clock, latencyMs: 86_400_000 })
    const answered = []
    const request = post(server, trigger).then(({ status }) => answered.push(status))
    while (server.requests.length === 0) await turn()
    await clock.advance(86_399_999)
    expect([answered, server.alerts, server.requests[0].status]).toEqual([[], [], 'pending'])
    await clock.advance(1)
    await request
    expect(answered).toEqual([202])
    expect(server.alerts).toMatchObject([{ at: clock.now() }])
    expect(server.requests[0].at).toBe(clock.now() - 86_400_000)
  })

  test('is too long for a caller that goes away, and no event is taken', async () => {
    const server = await open({ latencyMs: 60_000 })
    const controller = new AbortController()
    const request = post(server, trigger, '/v2/enqueue', { signal: controller.signal })
    while (server.requests.length === 0) await turn()
    controller.abort()
    await expect(request).rejects.toThrow('aborted')
    while (server.requests[0].status === 'pending') await turn()
    expect(server.requests[0].status).toBe('abandoned')
    expect(server.alerts).toEqual([])
  })

  // The clock counts a manager's requests that wait for it: one to PagerDuty is none of them.
  test('hides no token request of a manager on the same clock', async () => {
    const clock = createClock()
    const [server, provider] = [await open({ clock, latencyMs: 3_600_000 }), await fakeServer({ clock })]
    const tokens = manager(provider, { clock })
    await tokens.ready()
    const events = []
    let moved
    provider.respond(async () => {
      events.push(post(server, trigger))
      while (server.requests.length === 0) await turn()
      const at = clock.now()
      for (let turns = 0; turns < 200; turns++) await turn()
      moved = clock.now() - at
      return undefined
    })
    await clock.advance(48 * 3_600_000)
    expect(moved).toBe(0)
    expect(provider.requests[1].status).toBe(200)
    await Promise.all(events)
  })
})

test('respond gives answers of the test’s own, in order, each to one request', async () => {
  const server = await open()
  server.respond(
    { status: 500, body: 'not JSON' },
    { destroy: true },
    ({ event }) => ({ status: 429, headers: { 'Retry-After': '30' }, body: { key: event.dedup_key } }),
    async () => undefined,
  )
  expect(await post(server, trigger).catch((error) => error.message)).toMatch(/JSON/)
  await expect(post(server, trigger)).rejects.toThrow('fetch failed')
  const limited = await post(server, trigger)
  expect([limited.headers.get('retry-after'), limited.body]).toEqual(['30', { key: 'order-7' }])
  expect(server.alerts).toEqual([])
  expect((await post(server, trigger)).status).toBe(202)
  expect(server.requests.map(({ status }) => status)).toEqual([500, 'cut', 429, 202])
  expect(() => server.respond({ statsu: 500 })).toThrow("has no option 'statsu'. Did you mean 'status'?")
})

test.each([
  [{ latency: 1 }, "has no option 'latency'. Did you mean 'latencyMs'?"],
  [{ latencyMs: -1 }, 'latencyMs takes a whole number of milliseconds from 0, got -1.'],
  [
    { rateLimit: { burst: 1 } },
    'rateLimit takes { burst, perMs }, whole numbers from 1, or null, got an object.',
  ],
  [{ outage: 202 }, "outage takes true, false, 'html', or a status from 400 to 599, got 202."],
  [
    { routingKeys: KEY },
    'routingKeys takes an array of keys of 32 letters and digits, or null, got a string of 32 characters.',
  ],
  [
    { routingKeys: ['short'] },
    'routingKeys takes an array of keys of 32 letters and digits, or null, got an array.',
  ],
  [{ dropResponse: 1 }, 'dropResponse takes true or false, got 1.'],
  [{ maxBytes: 0 }, 'maxBytes takes a whole number from 1, got 0.'],
  [{ tooLargeStatus: 414 }, 'tooLargeStatus takes 400 or 413, got 414.'],
])('%j is refused, at the start and later', async (knobs, message) => {
  await expect(fakePagerDuty(knobs)).rejects.toThrow(TypeError)
  await expect(fakePagerDuty(knobs)).rejects.toThrow(message)
  const server = await open()
  expect(() => server.set({ outage: 503, ...knobs })).toThrow(message)
  expect((await post(server, trigger)).status).toBe(202)
})

test('options are told by their function, and a clock is for life', async () => {
  await expect(fakePagerDuty(5)).rejects.toThrow(
    'fakePagerDuty(options) takes an object { routingKeys, latencyMs,',
  )
  await expect(fakePagerDuty({ clock: Date })).rejects.toThrow('clock takes what createClock() returns')
  const server = await open()
  expect(() => server.set({ clock: createClock() })).toThrow("set(knobs) has no option 'clock'")
})

test('close ends connections and requests under way, and may be called again', async () => {
  const server = await fakePagerDuty({ latencyMs: 60_000 })
  const request = post(server, trigger)
  while (server.requests.length === 0) await turn()
  expect(server.connections).toBe(1)
  const refusal = expect(request).rejects.toThrow('fetch failed')
  // Node.js before 20.5 has no Symbol.asyncDispose.
  await Promise.all([server.close(), server[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]()])
  await refusal
  expect(server.connections).toBe(0)
})
