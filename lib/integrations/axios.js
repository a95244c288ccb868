'use strict'

const { AuthorizedRequests, checkMethods } = require('../authorized-request')
const { withoutToken } = require('./axios-error')
const { AxiosRequest, UnsentError, deleteAuthorization } = require('./axios-request')

/** Has the requests of an axios instance carry the tokens of a source. `axios.d.ts` documents it. */
function attach(instance, tokens, options = {}) {
  const methods = ({ create, interceptors }) => [
    create,
    interceptors?.request?.use,
    interceptors?.response?.use,
  ]
  checkMethods('instance', 'axios, or what axios.create() returns', instance, methods, attach)
  const requests = new AuthorizedRequests(attach, tokens, options, { base: () => instance.defaults.baseURL })
  /** Repeats a request as it was sent: no interceptor of the instance sees it twice. */
  const plain = instance.create()

  function authorize(config) {
    const known = AxiosRequest.of(config, requests)
    if (known) deleteAuthorization(config.headers)
    const request = known ?? new AxiosRequest(config, requests)
    if (requests.held !== undefined || !request.covers(config)) return config
    return request.wait(config, requests.token(config.signal))
  }

  /** The answer to a request that is repeated; undefined where the one that came stands. */
  function repeated(config, response) {
    const request = AxiosRequest.of(config, requests)
    const another = request?.another(config, response)
    // Its data have been transformed.
    return another && send(request, { ...config, transformRequest: [request.transform] }, another)
  }

  async function send(request, config, token) {
    config.headers.delete('Authorization')
    return plain.request(await request.wait(config, token)).then(withoutToken, refuse)
  }

  function refuse(error) {
    throw withoutToken(error)
  }

  const request = instance.interceptors.request.use(authorize)
  const response = instance.interceptors.response.use(
    (outcome) => repeated(outcome.config, outcome) ?? withoutToken(outcome),
    (error) => {
      const unsent = UnsentError.configOf(error)
      if (unsent) return send(AxiosRequest.of(unsent, requests), unsent, requests.token(unsent.signal))
      return repeated(error?.config, error?.response) ?? refuse(error)
    },
  )

  return function detach() {
    instance.interceptors.request.eject(request)
    instance.interceptors.response.eject(response)
  }
}

module.exports = { attach }
