'use strict'

const { fakeAuthorizationServer } = require('./authorization-server')
const { createClock } = require('./clock')
const { fakeTokens } = require('./fake-tokens')
const { fakePagerDuty } = require('./pagerduty')

// Never the native part: a unit test must run where there is none.
module.exports = { createClock, fakeAuthorizationServer, fakePagerDuty, fakeTokens }
