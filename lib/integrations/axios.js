'use strict'

const { AuthorizedRequests, checkMethods } = require('../authorized-request')
const { AxiosRequest, UnsentError } = require('./axios-request')

/** Has the requests of an axios instance carry the tokens of a source. `axios.d.ts` documents it. */
function attach(instance, tokens, options = {}) {
  const methods = ({ create, interceptors }) => [
    create,
    interceptors?.request?.use,
    interceptors?.response?.use,
  ]
  checkMethods(
    'instance',
    'axios (its default export), or what axios.create() returns',
    instance,
    methods,
    attach,
  )
  const base = { name: 'baseURL', read: () => instance.defaults.baseURL }
  const requests = new AuthorizedRequests(attach, tokens, options, { base })
  /** Repeats a request as it was sent: no interceptor of the instance sees it twice. */
  const plain = instance.create()

  function authorize(config) {
    const known = AxiosRequest.of(config, requests)
    known?.withdrawToken(config.headers)
    const request = known ?? new AxiosRequest(config, requests)
    const isReady = requests.held !== undefined || !request.covers(config)
    return isReady ? config : request.wait(config, requests.token(config.signal))
  }

  /** What a caller gets: the outcome of a request, or that of its repetition. */
  function settle(outcome, response) {
    const request = AxiosRequest.of(outcome?.config, requests)
    const another = request?.another(outcome.config, response)
    // Its data have been transformed.
    if (another) return send(request, { ...outcome.config, transformRequest: [request.transform] }, another)
    request?.hideToken(outcome)
    if (outcome === response) return response
    throw outcome
  }

  async function send(request, config, token) {
    request.withdrawToken(config.headers)
    const ready = await request.wait(config, token)
    const refuse = (error) => Promise.reject(request.hideToken(error))
    return plain.request(ready).then((answer) => request.hideToken(answer), refuse)
  }

  const request = instance.interceptors.request.use(authorize)
  const response = instance.interceptors.response.use(
    (answer) => settle(answer, answer),
    (error) => {
      const unsent = UnsentError.configOf(error)
      if (unsent) return send(AxiosRequest.of(unsent, requests), unsent, requests.token(unsent.signal))
      return settle(error, error?.response)
    },
  )

  return function detach() {
    instance.interceptors.request.eject(request)
    instance.interceptors.response.eject(response)
  }
}

module.exports = { attach }
