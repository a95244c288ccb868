'use strict'

// Writes a new client secret to a Kubernetes Secret, from inside a pod.
//
//   const { TokenManager, fromFile, genesysCloud } = require('oauth-rotor')
//   const { kubernetesSecret } = require('./kubernetes-secret')
//
//   const tokens = new TokenManager({
//     provider: genesysCloud({ region: 'sa_east_1' }),
//     credentials: {
//       clientId: 'the client id',
//       // The file where the pod mounts the Secret. Do not use subPath, which is never updated.
//       clientSecret: fromFile('/etc/oauth/client-secret'),
//       persist: kubernetesSecret({
//         name: 'pagerduty-oauth',
//         keys: { clientId: 'client-id', clientSecret: 'client-secret' },
//       }),
//     },
//   })
//
// All pods that mount the Secret follow: the kubelet updates the files within about a minute. The
// service account of the pod needs the verb `patch` on this one Secret, and nothing else:
//
//   apiVersion: rbac.authorization.k8s.io/v1
//   kind: Role
//   metadata: { name: pagerduty-oauth-writer }
//   rules:
//     - { apiGroups: [''], resources: [secrets], resourceNames: [pagerduty-oauth], verbs: [patch] }

const fs = require('node:fs/promises')
const https = require('node:https')
const path = require('node:path')

/** Where a pod finds its service account. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Returns a function for `persist`. `keys` are the keys of the Secret's data; its other keys stay
 * unchanged. Default of `namespace`: the pod's own.
 */
function kubernetesSecret({
  name,
  keys,
  namespace,
  host = process.env.KUBERNETES_SERVICE_HOST,
  port = process.env.KUBERNETES_SERVICE_PORT ?? 443,
  serviceAccount = SERVICE_ACCOUNT,
}) {
  const account = (file) => fs.readFile(path.join(serviceAccount, file), 'utf8')

  return async ({ clientId, clientSecret }, { signal } = {}) => {
    // These are read each time, because the kubelet replaces the token about every hour.
    const [token, ca, own] = await Promise.all([account('token'), account('ca.crt'), account('namespace')])
    const encoded = (text) => Buffer.from(text).toString('base64')
    // A merge patch (RFC 7386) changes both keys in one step.
    const body = JSON.stringify({
      data: { [keys.clientId]: encoded(clientId), [keys.clientSecret]: encoded(clientSecret) },
    })
    const target = [namespace ?? own.trim(), name].map(encodeURIComponent)
    const status = await send({
      options: {
        host,
        port,
        ca,
        signal,
        method: 'PATCH',
        path: `/api/v1/namespaces/${target[0]}/secrets/${target[1]}`,
        headers: {
          authorization: `Bearer ${token.trim()}`,
          'content-type': 'application/merge-patch+json',
          'content-length': Buffer.byteLength(body),
        },
      },
      body,
    })
    if (status !== 200) {
      // Only name and code are passed on: `Error (403)` in the event `persisted`. The function is
      // called again in 10 s.
      throw Object.assign(new Error(`The API server answered ${status}`), { code: status })
    }
  }
}

function send({ options, body }) {
  return new Promise((resolve, reject) => {
    const request = https.request(options, (response) => {
      response.on('error', reject).on('end', () => resolve(response.statusCode))
      response.resume()
    })
    request.on('error', reject)
    request.end(body)
  })
}

module.exports = { kubernetesSecret }
