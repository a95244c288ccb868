'use strict'

module.exports = {
  testMatch: ['<rootDir>/__test__/**/*.test.js'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/target/'],
  modulePathIgnorePatterns: ['<rootDir>/target/'],
  // Generous: the machine may be busy, and no test passes or fails by the clock.
  testTimeout: 120_000,
}
