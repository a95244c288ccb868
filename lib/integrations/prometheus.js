'use strict'

const { describe } = require('../options/values')
const { checkObject } = require('../options/plain')

/** The managers of each register by label, for each prefix of the metrics' names. */
const COLLECTIONS = new WeakMap()

const METRICS = [
  {
    name: 'token_remaining_seconds',
    type: 'gauge',
    help: 'How long the held token may still be handed out.',
    samples: ({ tokenRemainingMs }) => [{ value: tokenRemainingMs / 1000 }],
  },
  {
    name: 'token_refreshes_total',
    type: 'counter',
    help: 'Refreshes by how they ended.',
    samples: ({ refreshes }) =>
      Object.entries(refreshes).map(([result, value]) => ({ labels: { result }, value })),
  },
  {
    name: 'token_waits_total',
    type: 'counter',
    help: 'Calls that found no token and had to wait.',
    samples: ({ waits }) => [{ value: waits }],
  },
  {
    name: 'credential_rejections_total',
    type: 'counter',
    help: 'Answers of the token endpoint that rejected a credential.',
    samples: ({ credentialRejections }) => [{ value: credentialRejections }],
  },
  {
    name: 'refresh_duration_seconds',
    type: 'histogram',
    help: 'How long refreshes took, all credentials that were tried included.',
    samples: histogram,
  },
]

/**
 * Adds a manager's metrics to a register of prom-client. Returns a function that removes the
 * manager.
 */
function collectMetrics(tokens, options) {
  if (typeof tokens?.metrics !== 'function') {
    throw new TypeError(`collectMetrics(tokens) takes a TokenManager, got ${describe(tokens)}.`)
  }
  const known = ['register', 'prefix', 'name']
  const {
    register = defaultRegister(),
    prefix = 'oauth_rotor_',
    name,
  } = checkObject(options, known, 'collectMetrics(tokens, options)')
  const label = name ?? tokens.status().name ?? 'default'
  const managers = managersOf(register, prefix)
  if (managers.has(label)) {
    const remedy = 'Give one of the two another name, or end the first.'
    throw new TypeError(`This register already shows a manager as ${JSON.stringify(label)}. ${remedy}`)
  }
  managers.set(label, tokens)
  return () => {
    if (managers.get(label) === tokens) managers.delete(label)
  }
}

function defaultRegister() {
  return require('prom-client').register
}

/**
 * Returns the managers that a register shows under a prefix. The first call registers the metrics.
 */
function managersOf(register, prefix) {
  if (!COLLECTIONS.has(register)) COLLECTIONS.set(register, new Map())
  const byPrefix = COLLECTIONS.get(register)
  if (!byPrefix.has(prefix)) {
    const managers = new Map()
    for (const metric of METRICS) register.registerMetric(registered(metric, prefix, managers))
    byPrefix.set(prefix, managers)
  }
  return byPrefix.get(prefix)
}

/** Returns a metric as prom-client expects it. It is read at each scrape, and keeps no values. */
function registered({ name, type, help, samples }, prefix, managers) {
  return {
    name: prefix + name,
    type,
    help,
    aggregator: 'sum',
    get() {
      const values = [...managers].flatMap(([manager, tokens]) =>
        samples(tokens.metrics()).map(({ suffix, labels, value }) => ({
          ...(suffix && { metricName: prefix + name + suffix }),
          labels: { name: manager, ...labels },
          value,
        })),
      )
      return { name: this.name, type, help, aggregator: this.aggregator, values }
    },
  }
}

function histogram({ refreshDurationMs: { count, sum, buckets } }) {
  const steps = buckets.map(({ le, count: value }) => ({ le: le / 1000, value }))
  return [
    ...[...steps, { le: '+Inf', value: count }].map(({ le, value }) => ({
      suffix: '_bucket',
      labels: { le },
      value,
    })),
    { suffix: '_sum', value: sum / 1000 },
    { suffix: '_count', value: count },
  ]
}

module.exports = { collectMetrics }
