'use strict'

const { collectMetrics } = require('./lib/integrations/prometheus')

module.exports = { collectMetrics }
