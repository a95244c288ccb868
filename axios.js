'use strict'

const { attach } = require('./lib/integrations/axios')

module.exports = { attach }
