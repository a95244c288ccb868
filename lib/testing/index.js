'use strict'

const { fakeAuthorizationServer } = require('./authorization-server')
const { createClock } = require('./clock')
const { fakeTokens } = require('./fake-tokens')
const { fakePagerDuty } = require('./pagerduty')

// This entry never loads the native part: a unit test must run without it.
module.exports = { createClock, fakeAuthorizationServer, fakePagerDuty, fakeTokens }
