'use strict'

const { flawOf } = require('../lib/credential-text')
const cases = require('../src/source/flaws.json')
const { failure, valid } = require('./support/seam')

/** The native part's own tests (`src/source/flaw.rs`) see that it says the same. */
test.each(cases)('$text: $flaw', ({ text, flaw }) => {
  expect(flawOf(text) ?? null).toBe(flaw)
})

test.each([
  ['hunter2\u200b', 'an invisible character (U+200B)'],
  ['\ufeffhunter2', 'an invisible character (U+FEFF)'],
  ['hunter2\u00a0', 'a blank that is no plain space (U+00A0)'],
  ['hunter2 ', 'a blank at its beginning or end'],
])('options with %j are refused, without being repeated', (text, flaw) => {
  const problems = ['clientId', 'clientSecret'].map((key) => {
    return failure(valid({ credentials: { clientId: 'app', clientSecret: 'secret', [key]: text } })).problems
  })
  for (const [index, [problem]] of problems.entries()) {
    expect(problem.option).toBe(['credentials.clientId', 'credentials.clientSecret'][index])
    expect(problem.message).toContain(flaw)
    expect(problem.message).not.toContain('hunter2')
  }
})
