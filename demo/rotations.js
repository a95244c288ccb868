'use strict'

const { nextEvent } = require('./events')

/** How long a token request takes while the replaced secret is killed. */
const SLOW_MS = 1500
/** How long the provider takes to make a regenerated secret known. */
const PROPAGATION_MS = 1000
/** How long the token is still valid when Regenerate is pressed, at least. */
const RUNWAY_MS = 3000

/** The demo's second part: every way in which a credential is replaced, each under load. */
class Rotations {
  /** All credentials so far, by their labels. */
  secrets = new Map()
  #server
  #tokens
  #timeline
  #vault
  #latencyMs

  /** `vault.current` is what the manager's source yields. */
  constructor({ server, tokens, timeline, vault, latencyMs }) {
    this.#server = server
    this.#tokens = tokens
    this.#timeline = timeline
    this.#vault = vault
    this.#latencyMs = latencyMs
    this.#know(vault.current)
  }

  async run() {
    const all = [
      ['a', 'A good secret, of two that the provider accepts', this.#good],
      ['b', 'A wrong secret', this.#wrong],
      ['c', 'The old secret and its tokens die while the new one is being proved', this.#dead],
      ['d', 'One secret per client: prepared, then Regenerate is pressed', this.#regenerated],
      ['e', 'Blue/green: another client', this.#blueGreen],
      ['f', 'A rollback', this.#rolledBack],
    ]
    for (const [letter, title, rotate] of all) {
      this.#timeline.part(letter, title)
      await rotate.call(this)
      // The active credential also fetches the next token.
      await nextEvent(this.#tokens, 'token')
    }
  }

  async #good() {
    const two = this.#app('two')
    await this.#server.setSecrets('app', ['secret-one', two.clientSecret])
    const rotation = await this.#fromVault(two)
    await rotation.until('retired')
    await this.#server.setSecrets('app', two.clientSecret)
    this.#timeline.note('the provider forgets one')
  }

  async #wrong() {
    const rotating = this.#tokens.rotate(this.#app('wrong'))
    const code = await rotating.then(
      () => 'success',
      (error) => error.code,
    )
    if (code !== 'ERR_CANDIDATE_REJECTED') throw new Error(`a wrong secret ended in ${code}`)
    this.#timeline.note(`rotate() rejects with ${code}`)
  }

  async #dead() {
    const three = this.#app('three')
    await this.#server.setSecrets('app', ['secret-two', three.clientSecret])
    await this.#server.set({ latencyMs: SLOW_MS })
    const staged = nextEvent(this.#tokens, 'rotation', ({ change }) => change === 'staged')
    const rotating = this.#fromVault(three)
    await staged
    await this.#server.setSecrets('app', three.clientSecret)
    await this.#server.revoke()
    this.#timeline.note('the provider kills two, and every token')
    const rotation = await rotating
    await this.#server.set({ latencyMs: this.#latencyMs })
    await rotation.until('retired')
  }

  async #regenerated() {
    const { safeUntil } = await this.#tokens.prepareRotation({ minRunwayMs: RUNWAY_MS })
    const seconds = ((safeUntil - Date.now()) / 1000).toFixed(1)
    await this.#server.set({ newSecretPropagationMs: PROPAGATION_MS })
    const clientSecret = await this.#server.regenerateSecret('app')
    this.#timeline.note(`Regenerate: three is dead at once; the token lasts ${seconds} s`)
    const four = this.#know({ label: 'four', clientId: 'app', clientSecret })
    const rotation = await this.#tokens.rotate(four)
    this.#vault.current = four
    await rotation.until('retired')
  }

  async #blueGreen() {
    const green = this.#know({ label: 'green', clientId: 'green', clientSecret: 'secret-green' })
    const rotation = await this.#fromVault(green, { verify: { url: `${this.#server.url}/api/v2/tokens/me` } })
    await rotation.until('retired')
    await this.#server.set({ clients: { green: green.clientSecret } })
    this.#timeline.note('the provider forgets the client app, and with it its tokens')
  }

  async #rolledBack() {
    const green = this.#vault.current
    const five = this.#know({ ...green, label: 'five', clientSecret: 'secret-five' })
    await this.#server.setSecrets('green', [green.clientSecret, five.clientSecret])
    const rotation = await this.#fromVault(five)
    const retired = nextEvent(this.#tokens, 'rotation', ({ change }) => change === 'retired')
    await rotation.rollback()
    this.#vault.current = green
    await retired
  }

  /** A deploy brings a credential, and the manager reads its sources. */
  #fromVault(credential, options) {
    this.#vault.current = credential
    return this.#tokens.rotate(options)
  }

  #app(label) {
    return this.#know({ label, clientId: 'app', clientSecret: `secret-${label}` })
  }

  #know(credential) {
    this.secrets.set(credential.label, credential)
    return credential
  }
}

module.exports = { Rotations }
