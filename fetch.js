'use strict'

const { createFetch } = require('./lib/integrations/fetch')

module.exports = { createFetch }
