'use strict'

const { readdirSync } = require('node:fs')
const path = require('node:path')
const { setTimeout: pause } = require('node:timers/promises')
const { WebhookSigner } = require('../..')
const { fakeAuthorizationServer, fakePagerDuty } = require('../../lib/testing')
const { Secrets } = require('./secrets')
const { Sender } = require('./sender')
const { ServiceProcess } = require('./service')

const INTEGRATION_KEY = '0123456789abcdef0123456789abcdef'
/** As many events arrive at the receiver before those that were under way have certainly arrived. */
const UNDER_WAY = 64
const LONGEST_WAIT_MS = 60_000

/** The example service between Genesys Cloud, PagerDuty and a receiver, all on this machine. */
class World {
  #directory
  #tell
  #keys = 0
  #listeners = new Set()

  /** `directory` has the compiled example. `tell` gets a text for everything that happens. */
  constructor({ directory, tell = () => {} }) {
    this.#directory = directory
    this.#tell = tell
    this.secrets = new Secrets(path.join(directory, 'secrets'))
  }

  async start(atLeast) {
    const { secrets } = this
    const clientId = secrets.write('gc-client-id', 'app')
    const clientSecret = secrets.write('gc-client-secret', 'secret-1')
    for (const name of ['genesys-webhook-key', 'receiver-key', 'pagerduty-webhook-key']) {
      for (const slot of ['a', 'b']) secrets.write(`${name}-${slot}`)
    }
    secrets.write('pagerduty-integration-key', INTEGRATION_KEY)

    this.auth = await fakeAuthorizationServer({ clients: { [clientId]: clientSecret } })
    this.pagerDuty = await fakePagerDuty({ routingKeys: [INTEGRATION_KEY] })
    const { startReceiver } = require(path.join(this.#directory, 'dist', 'test', 'receiver.js'))
    const keys = { a: secrets.get('receiver-key-a') }
    this.receiver = await startReceiver(`${this.auth.url}/api/v2/tokens/me`, keys)
    this.service = new ServiceProcess({
      main: path.join(this.#directory, 'dist', 'src', 'main.js'),
      env: {
        PORT: '0',
        SECRETS: path.join(this.#directory, 'secrets'),
        OUTBOX: path.join(this.#directory, 'outbox'),
        GC_HOST: this.auth.url,
        RECEIVER_URL: this.receiver.url,
        PAGERDUTY_URL: this.pagerDuty.url,
        SOURCE_POLL_MS: '100',
        OVERLAP_MS: '1000',
      },
      onLine: (line) => this.#listeners.forEach((listener) => listener(line)),
    })
    await this.service.start()
    this.sender = new Sender({ service: this.service, key: secrets.get('genesys-webhook-key-a'), atLeast })
  }

  /** The provider gets a second secret, then the file; once the old one is retired, it dies. */
  async rotateToken(number) {
    const { auth, receiver, secrets } = this
    const old = secrets.get('gc-client-secret')
    const oldTokens = new Set(receiver.events.map(({ headers }) => headers.authorization))
    const next = `secret-${number + 1}`
    auth.setSecrets('app', [old, next])
    const retired = this.#logged(({ change }) => change === 'retired')
    secrets.write('gc-client-secret', next)
    await retired
    await this.#arrived(({ headers }) => !oldTokens.has(headers.authorization))
    auth.setSecrets('app', next)
    for (const authorization of oldTokens) auth.revoke(authorization.replace('Bearer ', ''))
    this.#tell(`client secret ${number + 1} is in use; the provider ends the old one and its tokens`)
  }

  /** The receiver gets the new key, then the service; then only the new one counts. */
  async rollKey() {
    const { receiver, secrets } = this
    this.#keys += 1
    const slots = ['a', 'b']
    const [replaced, other] = this.#keys % 2 ? slots.toReversed() : slots
    const label = `key ${this.#keys + 1}`
    const next = secrets.write(`receiver-key-${replaced}`)
    receiver.accept({ [label]: next, before: secrets.get(`receiver-key-${other}`) })
    await this.#arrived(({ key }) => key === label)
    receiver.accept({ [label]: next })
    this.#tell(`${label} signs; the receiver knows no other`)
  }

  /** PagerDuty sends a webhook of its own, and repeats it, as if it had not seen the answer. */
  async sendIncident(number) {
    const body = JSON.stringify({ event: { id: `incident-${number}`, event_type: 'incident.acknowledged' } })
    const signer = new WebhookSigner({
      scheme: 'pagerduty',
      keys: this.secrets.get('pagerduty-webhook-key-a'),
    })
    const headers = { 'content-type': 'application/json', ...signer.sign(body) }
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { status } = await fetch(`${this.service.url}/pagerduty`, { method: 'POST', headers, body })
      if (status !== 200) throw new Error(`PagerDuty's webhook got ${status}`)
    }
    await signer.close()
  }

  /** The next events get answers that PagerDuty gives on a bad day. */
  disturbPagerDuty() {
    this.pagerDuty.respond({ status: 429 }, { status: 500 }, { status: 503 }, { destroy: true })
    this.#tell('PagerDuty answers 429, 500 and 503, and cuts a connection')
  }

  /** The service ends, as in a deployment or a crash, and starts again. */
  async restart(signal) {
    const { code } = await this.service.end(signal)
    const waiting = this.#waiting()
    await this.service.start()
    const how = code === null ? 'at once' : `with ${code}`
    this.#tell(`${signal} ends it ${how}; it left ${waiting} deliveries to its successor`)
  }

  /** Resolves when so many events and alerts have arrived. */
  async settled({ events, alerts }) {
    await this.#until(() => this.receiver.events.length >= events && this.pagerDuty.alerts.length >= alerts)
  }

  /** What the receiver and PagerDuty have counted. */
  counts() {
    const { receiver, pagerDuty, sender } = this
    const answered = (status) => receiver.answers.filter((one) => one === status).length
    const statuses = pagerDuty.requests.map(({ status }) => status)
    return {
      accepted: sender.accepted,
      refused: sender.refused,
      received: new Set(receiver.events.map(({ id }) => id)).size,
      rejected: receiver.answers.length - answered(200),
      dropped: answered(200) - receiver.events.length,
      alerts: new Set(pagerDuty.alerts.map(({ dedupKey }) => dedupKey)).size,
      repeatedAlerts: statuses.filter((status) => status === 202).length - pagerDuty.alerts.length,
    }
  }

  async close() {
    this.sender?.close()
    await this.service?.end('SIGTERM')
    await Promise.all([this.receiver, this.auth, this.pagerDuty].map((part) => part?.close()))
  }

  /** Resolves when an event of this kind has arrived, and all that were under way then. */
  async #arrived(fits) {
    const { events } = this.receiver
    let from = events.length
    await this.#until(() => {
      while (from < events.length && !fits(events[from])) from += 1
      return events.length > from + UNDER_WAY
    })
  }

  /** How many deliveries are in the outbox. */
  #waiting() {
    const files = readdirSync(path.join(this.#directory, 'outbox'), { recursive: true })
    return files.filter((file) => file.endsWith('.event')).length
  }

  #logged(fits) {
    return new Promise((resolve) => {
      const listener = (line) => {
        if (!fits(line)) return
        this.#listeners.delete(listener)
        resolve(line)
      }
      this.#listeners.add(listener)
    })
  }

  async #until(isSo) {
    const end = performance.now() + LONGEST_WAIT_MS
    while (!isSo()) {
      if (performance.now() > end) throw new Error(`never so: ${isSo} (${JSON.stringify(this.counts())})`)
      await pause(5)
    }
  }
}

module.exports = { World }
