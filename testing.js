'use strict'

const { fakeAuthorizationServer } = require('./lib/testing/authorization-server')
const { createClock } = require('./lib/testing/clock')
const { fakeTokens } = require('./lib/testing/fake-tokens')
const { fakePagerDuty } = require('./lib/testing/pagerduty')

// Never the native part: a unit test must run where there is none.
module.exports = { createClock, fakeAuthorizationServer, fakePagerDuty, fakeTokens }
