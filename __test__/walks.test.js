'use strict'

const { filesOf, firstSentence, missed, tableOf } = require('../scripts/support/walks/table')

/** Calls from `a.f<b<c`: the function f of a, which b has called, which c has called. */
function calls(...texts) {
  return texts.map((text) => {
    const [key, ...stack] = text.split('<')
    return { key, file: key.split('.')[0], stack }
  })
}

const again = (...texts) =>
  Object.fromEntries(filesOf(calls(...texts)).map(({ file, again }) => [file, again]))

test('the files are in order of their first entry', () => {
  expect(filesOf(calls('c.f', 'a.f<c', 'b.f<a<c', 'a.g<c'))).toEqual([
    { file: 'c', again: 0, switches: 1, leadsTo: 1 },
    { file: 'a', again: 0, switches: 2, leadsTo: 1 },
    { file: 'b', again: 0, switches: 1, leadsTo: 0 },
  ])
})

describe('a file is entered again', () => {
  test('once the walk has been in a file that it did not call', () => {
    expect(again('a.f', 'b.f<a', 'c.f<a', 'b.g<a', 'c.g<a', 'b.h<a')).toEqual({ a: 0, b: 2, c: 1 })
  })

  test('not by a return to it, nor by what it calls', () => {
    expect(again('a.f', 'b.f<a', 'c.f<b<a', 'a.g', 'b.g<a')).toEqual({ a: 0, b: 1, c: 0 })
  })

  test('not by a call from what it has called itself', () => {
    expect(again('a.f', 'b.f<a', 'a.g<b<a', 'b.g<a<b<a')).toEqual({ a: 0, b: 0 })
  })

  test('not by a function that has been read', () => {
    expect(again('a.f', 'b.f<a', 'c.f<a', 'b.f<a', 'c.f<a', 'b.f<a')).toEqual({ a: 0, b: 0, c: 0 })
  })

  test('not by its own functions in a row', () => {
    expect(again('a.f', 'a.g', 'a.h<a')).toEqual({ a: 0 })
  })
})

test('each target that is missed is named', () => {
  const files = [
    { file: 'a.rs', lines: 300, again: 3 },
    { file: 'b.rs', lines: 301, again: 2 },
  ]
  const walk = { name: 'A walk', files }
  expect(missed(walk, { mostFiles: 2, mostLines: 301, mostAgain: 3 })).toEqual([])
  expect(missed(walk, { mostFiles: 1, mostLines: 300, mostAgain: 2 })).toEqual([
    'A walk passes 2 files, not 1 at most.',
    'A walk: b.rs has 301 lines, not 300 at most.',
    'A walk: a.rs is entered again 3 times, not 2 at most.',
  ])
})

test('a table has a row for each file', () => {
  const file = { file: 'src/a.rs', lines: 9, does: 'One | two', again: 1, switches: 4, leadsTo: 2 }
  expect(tableOf([file]).split('\n').slice(2)).toEqual(['| 1 | `src/a.rs` | 9 | One \\| two | 2 | 1 | 4 |'])
})

test.each([
  ['//! Time as a value.\n//!\n//! And more.\n\nuse a;\n', 'Time as a value'],
  ['//! Text of [`Secret`](b)\n//! kinds. More.\n', 'Text of `Secret` kinds'],
  ["'use strict'\n\n/** Not this. */\nconst a = 1\n\n/**\n * A token; always.\n */\nclass A {}\n", 'A token'],
  ['/** Not this. */\nconst a = 1\n\n/** Reads it. */\nfunction a() {}\n', 'Reads it'],
  ['const a = 1\n', ''],
])('what a file is stands in its first sentence: %j', (source, expected) => {
  expect(firstSentence(source)).toBe(expected)
})
