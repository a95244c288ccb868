'use strict'

const http = require('node:http')

/**
 * The client of an API that needs a token with every request, as an application would use a
 * manager.
 */
class Api {
  #url
  #tokens
  #report
  #agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
  #slow = { left: 0 }

  constructor({ url, tokens, report }) {
    this.#url = `${url}/api/v2/conversations`
    this.#tokens = tokens
    this.#report = report
  }

  /**
   * One request; a 401 drops exactly that token, and the request is made once more with another.
   */
  async request() {
    try {
      let token = await this.#token()
      let status = await this.#send(token, this.#takeSlow())
      if (status === 401) {
        this.#report.rejected(this.#tokens.invalidate(token))
        token = await this.#token()
        status = await this.#send(token)
      }
      if (status < 200 || status > 299) throw new Error(`status ${status}`)
      this.#report.succeeded += 1
    } catch (error) {
      this.#report.fail(error)
    }
  }

  /**
   * Makes the next requests slow uploads: each is sent with its token at once, and its body is sent
   * when `until` resolves. The server checks the token after the body. Resolves once all are under
   * way.
   */
  slowDown(count, until) {
    return new Promise((started) => {
      this.#slow = { left: count, until, started }
    })
  }

  close() {
    this.#agent.destroy()
  }

  async #token() {
    const hadToken = this.#tokens.peek() !== undefined
    const before = performance.now()
    const token = await this.#tokens.getToken()
    this.#report.waited(performance.now() - before, hadToken)
    return token
  }

  #takeSlow() {
    if (this.#slow.left === 0) return undefined
    this.#slow.left -= 1
    if (this.#slow.left === 0) this.#slow.started()
    return this.#slow.until
  }

  #send(token, until) {
    return new Promise((resolve, reject) => {
      const options = {
        agent: this.#agent,
        method: until ? 'POST' : 'GET',
        headers: { Authorization: `Bearer ${token}` },
      }
      const request = http.request(this.#url, options, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
      request.on('error', reject)
      if (!until) return void request.end()
      request.write('{')
      until.then(() => request.end('}'))
    })
  }
}

module.exports = { Api }
