'use strict'

const js = require('@eslint/js')

const node = {
  AbortController: 'readonly',
  AbortSignal: 'readonly',
  Buffer: 'readonly',
  DOMException: 'readonly',
  URL: 'readonly',
  URLSearchParams: 'readonly',
  WebAssembly: 'readonly',
  clearInterval: 'readonly',
  clearTimeout: 'readonly',
  console: 'readonly',
  fetch: 'readonly',
  performance: 'readonly',
  process: 'readonly',
  setImmediate: 'readonly',
  setInterval: 'readonly',
  setTimeout: 'readonly',
  structuredClone: 'readonly',
}
const commonjs = {
  ...node,
  __dirname: 'readonly',
  __filename: 'readonly',
  module: 'writable',
  require: 'readonly',
}
const jest = {
  afterAll: 'readonly',
  afterEach: 'readonly',
  beforeAll: 'readonly',
  beforeEach: 'readonly',
  describe: 'readonly',
  expect: 'readonly',
  jest: 'readonly',
  test: 'readonly',
}
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']

module.exports = [
  { ignores: ['target/'] },
  js.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: { sourceType: 'commonjs', globals: commonjs },
    rules: { 'prefer-const': 'error', 'no-var': 'error', eqeqeq: 'error', 'object-shorthand': 'error' },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: node } },
  { files: ['__test__/**/*.js'], languageOptions: { globals: { ...commonjs, ...jest } } },
  {
    files: ['lib/**/*.js'],
    rules: {
      // A timer of ours would make a user's jest.runAllTimers() run for ever.
      'no-restricted-globals': [
        'error',
        ...timers.map((name) => ({ name, message: 'The facade owns no timer.' })),
      ],
      'no-restricted-properties': ['error', { object: 'process', property: 'nextTick' }],
    },
  },
]
