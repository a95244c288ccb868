'use strict'

// A run of Jest inside a test: its files are no tests of ours.
module.exports = {
  rootDir: __dirname,
  testMatch: ['<rootDir>/*.fixture.js'],
  globalTeardown: '<rootDir>/teardown.js',
}
