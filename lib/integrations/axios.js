'use strict'

const { AuthorizedRequests, checkMethods } = require('./authorized-requests')
const { AxiosRequest, UnsentError, plainInstance } = require('./axios-request')

const parts = ({ create, interceptors: of }) => [create, of?.request?.use, of?.response?.use]

/** Adds the tokens of a source to the requests of an axios instance. `axios.d.ts` documents it. */
function attach(instance, tokens, options) {
  checkMethods(
    'instance',
    'axios (its default export) or what axios.create() returns',
    instance,
    parts,
    attach,
  )
  const base = { name: 'baseURL', read: () => instance.defaults.baseURL }
  const requests = new AuthorizedRequests(attach, tokens, options, { base })
  const plain = plainInstance(instance)
  let isAttached = true

  function authorize(config) {
    const request = new AxiosRequest(config, requests)
    const isReady = requests.held !== undefined || !request.covers(config)
    return isReady ? config : request.wait(config, requests.token(config.signal))
  }

  /**
   * Returns a promise of the repeated request's outcome, or undefined if the first outcome stands.
   */
  function repetition(outcome, response) {
    const { config } = outcome ?? {}
    const request = AxiosRequest.of(config, requests)
    const another = isAttached ? request?.another(config, response) : undefined
    if (another) return request.repeat(plain, config, another, { isTransformed: true })
    request?.hideToken(outcome)
    return undefined
  }

  function recover(error) {
    const config = UnsentError.configOf(error)
    if (config === undefined) return repetition(error, error?.response) ?? Promise.reject(error)
    const token = requests.token(config.signal)
    return AxiosRequest.of(config, requests).repeat(plain, config, token, { isTransformed: false })
  }

  const request = instance.interceptors.request.use(authorize)
  const response = instance.interceptors.response.use(
    (answer) => repetition(answer, answer) ?? answer,
    recover,
  )
  return function detach() {
    isAttached = false
    instance.interceptors.request.eject(request)
    instance.interceptors.response.eject(response)
  }
}

module.exports = { attach }
