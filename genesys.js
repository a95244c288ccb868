'use strict'

const { attach } = require('./lib/integrations/genesys')

module.exports = { attach }
