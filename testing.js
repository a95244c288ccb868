'use strict'

const { fakeAuthorizationServer } = require('./lib/testing/authorization-server')
const { createClock } = require('./lib/testing/clock')
const { fakeTokens } = require('./lib/testing/fake-tokens')

// Never the native part: a unit test must run where there is none.
module.exports = { createClock, fakeAuthorizationServer, fakeTokens }
