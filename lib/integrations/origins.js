'use strict'

const { isLoopback } = require('../options/url')
const { attempt, copyOfArray, describe } = require('../options/values')

/** What may follow the origin in a URL. Undefined stands for the end. */
const AFTER_ORIGIN = [undefined, '/', '?', '#']

/**
 * The origins that tokens may be sent to: those in an option, or that of the URL that a client is
 * configured with.
 */
class Origins {
  #list
  #allowInsecureHttp
  #fail
  /** `{ name, read }` of that URL, which may change. */
  #base
  #knownBase

  /** `fail(message)` throws an error about the origins. */
  constructor({ origins, allowInsecureHttp, base, fail }) {
    this.#allowInsecureHttp = allowInsecureHttp
    this.#fail = fail
    if (origins === undefined && base !== undefined) {
      this.#base = base
      this.#follow()
    } else {
      this.#list = this.#parse(origins)
    }
  }

  /** Whether a URL, or an origin, is among them. */
  include(url) {
    if (this.#base && this.#base.read() !== this.#knownBase) this.#follow()
    // Most URLs begin with the origin as it is written. Only the others have to be parsed.
    for (const origin of this.#list) {
      if (isBelow(url, origin)) return true
    }
    return this.#list.includes(parseUrl(url)?.origin)
  }

  #follow() {
    const { name, read } = this.#base
    const value = read()
    if (!value) this.#fail(`needs { origins }: there is no ${name} to take the origin from`)
    const url = parseUrl(value)
    if (!isHttp(url)) this.#fail(`needs { origins }: the ${name} is no http or https URL`)
    this.#list = [this.#safe(url, `the ${name}`)]
    this.#knownBase = value
  }

  #parse(origins) {
    const list = copyOfArray(origins)
    if (!list?.length) {
      const got = list ? 'an empty one' : describe(origins)
      this.#fail(`takes a list of origins, { origins: ['https://api.mypurecloud.com'] }, got ${got}`)
    }
    return list.map((item, index) => {
      const place = `origins[${index}]`
      const url = parseUrl(item)
      if (!isHttp(url)) {
        this.#fail(`takes origins such as 'https://api.mypurecloud.com'; ${place} is ${describe(item)}`)
      }
      if (url.href !== `${url.origin}/`) {
        this.#fail(`takes scheme, host and port only; ${place} has more: leave the rest out`)
      }
      if (url.hostname.includes('*')) this.#fail(`has no wildcards; ${place} has one: list each host`)
      return this.#safe(url, place)
    })
  }

  #safe(url, what) {
    if (url.protocol === 'http:' && !isLoopback(url) && !this.#allowInsecureHttp) {
      const remedy = 'use https, or set allowInsecureHttp: true'
      this.#fail(`would send the token in the clear, since ${what} is plain http: ${remedy}`)
    }
    return url.origin
  }
}

/** Whether a string begins with an origin, and nothing after it could still belong to the host. */
function isBelow(text, origin) {
  return typeof text === 'string' && text.startsWith(origin) && AFTER_ORIGIN.includes(text[origin.length])
}

function parseUrl(value) {
  const text = attempt(() => String(value))
  return URL.canParse(text) ? new URL(text) : undefined
}

function isHttp(url) {
  return url?.protocol === 'https:' || url?.protocol === 'http:'
}

module.exports = { Origins }
