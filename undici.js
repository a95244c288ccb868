'use strict'

const { createInterceptor } = require('./lib/integrations/undici')

module.exports = { createInterceptor }
