'use strict'

const { inspect } = require('node:util')

const { strayCharacter } = require('../lib/check')
const { parseRotate } = require('../lib/rotate-arguments')
const { failure, parse, valid } = require('./support/seam')

const SECRET = 'hunter2Zx9'

/** What came along when a secret was copied, and what is said of it. */
const STRAY = [
  ['a byte order mark', `\ufeff${SECRET}`, 'has a byte order mark (U+FEFF) at its beginning'],
  ['a byte order mark elsewhere', `hunter2\ufeffZx9`, 'has a byte order mark (U+FEFF) in it'],
  ['a zero width space', `${SECRET}\u200b`, 'has a zero width space (U+200B) at its end'],
  ['a zero width joiner', `hunter2\u200dZx9`, 'has a zero width joiner (U+200D) in it'],
  ['a word joiner', `hunter2\u2060Zx9`, 'has a word joiner (U+2060) in it'],
  ['a soft hyphen', `hunter2\u00adZx9`, 'has a soft hyphen (U+00AD) in it'],
  ['a no-break space', `hunter2\u00a0Zx9`, 'has a no-break space (U+00A0) in it'],
  ['a narrow no-break space', `${SECRET}\u202f`, 'has a narrow no-break space (U+202F) at its end'],
  ['an em space', `\u2003${SECRET}`, 'has an unusual blank (U+2003) at its beginning'],
  ['an ideographic space', `hunter2\u3000Zx9`, 'has an ideographic space (U+3000) in it'],
  ['a mark of direction', `hunter2\u202eZx9`, 'has an invisible character (U+202E) in it'],
  ['a line separator', `${SECRET}\u2028`, 'has an invisible character (U+2028) at its end'],
  ['a tag beyond 16 bits', `hunter2\u{e0041}Zx9`, 'has an invisible character (U+E0041) in it'],
  ['a blank in front', ` ${SECRET}`, 'begins with a blank'],
  ['a blank behind', `${SECRET} `, 'ends with a blank'],
]

describe.each(STRAY)('%s', (_, text, said) => {
  test.each(['clientSecret', 'clientId'])('in %s is an error that names it and not the text', (field) => {
    const credentials = { clientId: 'app', clientSecret: 'secret', [field]: text }
    const error = failure(valid({ credentials: [credentials] }))
    expect(error.code).toBe('ERR_INVALID_OPTION')
    expect(error.problems).toEqual([
      { option: `credentials[0].${field}`, message: expect.stringContaining(`got a string that ${said}.`) },
    ])
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
  })

  test('in what rotate() is told is an error, too', () => {
    const rotating = () => parseRotate({ clientSecret: text }, { clientAuth: 'basic', below: parseRotate })
    expect(rotating).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(said) }),
    )
    const naming = () =>
      parseRotate({ clientId: text, clientSecret: 'next' }, { clientAuth: 'basic', below: parseRotate })
    expect(naming).toThrow(expect.objectContaining({ message: expect.stringContaining(said) }))
  })
})

test.each(['hunter 2', 'hünter2', '密碼', 'a😀b', '/+ %:&=~"\'\\{}', '\u0301', '-', '_'])(
  '%p has nothing stray in it',
  (text) => {
    expect(strayCharacter(text)).toBeUndefined()
    expect(() => parse(valid({ credentials: { clientId: text, clientSecret: text } }))).not.toThrow()
  },
)
