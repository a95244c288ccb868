'use strict'

const { instantOf } = require('../lib/options/instants')
const { parseRotate } = require('../lib/options/rotate')
const { failure, parse, valid } = require('./support/seam')

const WRONG = [
  ['2027-02-30', 'a day that no February has'],
  ['2027-02-29', 'the day of a leap year'],
  ['2100-02-29', 'a century that is no leap year'],
  ['2027-04-31', 'the 31st of a month of 30 days'],
  ['2027-00-10', 'month 0'],
  ['2027-13-01', 'month 13'],
  ['2027-01-00', 'day 0'],
  ['2027-01-32', 'day 32'],
  ['2027-02-30T12:00:00Z', 'the same with a time'],
  ['2027-02-30T12:00:00+01:00', 'the same with an offset'],
  ['2027-01-31T24:00:00Z', 'hour 24'],
  ['2027-01-31T24:00Z', 'hour 24 without seconds'],
  ['2027-01-31T25:00:00Z', 'hour 25'],
  ['2027-01-31T10:60:00Z', 'minute 60'],
  ['2016-12-31T23:59:60Z', 'a leap second, which no clock of a computer shows'],
  ['2027-01-31T10:00:61Z', 'second 61'],
  ['2027-01-31T10:00:00+24:00', 'an offset of a day'],
  ['2027-01-31T10:00:00+01:60', 'an offset of 60 minutes'],
]

test.each(WRONG)('%s is no instant: %s', (text) => {
  const options = valid({ credentials: { clientId: 'app', clientSecret: 'secret', expiresAt: text } })
  const error = failure(options)
  expect(error.code).toBe('ERR_INVALID_OPTION')
  expect(error.problems).toEqual([
    {
      option: 'credentials.expiresAt',
      message: expect.stringMatching(/, got one that does not exist\.$/),
    },
  ])
  const rotating = () =>
    parseRotate({ clientSecret: 'next', expiresAt: text }, { clientAuth: 'basic', below: parseRotate })
  expect(rotating).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  // What a function yields is read by the same rule.
  expect(instantOf(text)).toBeUndefined()
})

test.each([
  ['2027-02-28', Date.UTC(2027, 1, 28)],
  ['2028-02-29', Date.UTC(2028, 1, 29)],
  ['2000-02-29', Date.UTC(2000, 1, 29)],
  ['2027-12-31T23:59:59.999Z', Date.UTC(2027, 11, 31, 23, 59, 59, 999)],
  ['2027-01-31T00:00Z', Date.UTC(2027, 0, 31)],
  ['2027-01-31T23:59:59-03:00', Date.UTC(2027, 1, 1, 2, 59, 59)],
  ['2027-01-31T00:30:00+14:00', Date.UTC(2027, 0, 30, 10, 30)],
])('%s is one', (text, millis) => {
  const { native } = parse(
    valid({ credentials: { clientId: 'app', clientSecret: 'secret', expiresAt: text } }),
  )
  expect(native.entries[0].expiresAt).toBe(millis)
})

test('every day of four hundred years is one, and no other', () => {
  for (let year = 2000; year < 2400; year++) {
    for (let month = 1; month <= 12; month++) {
      const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
      const text = (day) => `${year}-${String(month).padStart(2, '0')}-${day}`
      expect(instantOf(text(last))).toBe(Date.UTC(year, month - 1, last))
      expect(instantOf(text(last + 1))).toBeUndefined()
    }
  }
})

test.each(['1999-12-31', '9999-12-31'])('%s exists, and is outside of what is taken', (text) => {
  const options = valid({ credentials: { clientId: 'app', clientSecret: 'secret', expiresAt: text } })
  expect(failure(options).message).toMatch(/got one outside of that/)
})
