'use strict'

const { spawnSync } = require('node:child_process')
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { dirname, join } = require('node:path')

const ROOT = join(__dirname, '..')

let tree

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'oauth-rotor-structure-'))
})

afterEach(() => rmSync(tree, { recursive: true }))

function structure(...args) {
  const script = join(ROOT, 'scripts', 'check-structure.mjs')
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  expect(stderr).toBe('')
  const lines = stdout.trimEnd().split('\n')
  return { findings: lines.filter((line) => /^[\w/.-]+:\d+: /.test(line)), lines, status }
}

/** What is found in a tree of these files. */
function findingsIn(files) {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, file)), { recursive: true })
    writeFileSync(join(tree, file), text)
  }
  const { findings, status } = structure(tree)
  expect(status).toBe(findings.length === 0 ? 0 : 1)
  return findings
}

test('nothing is wrong in this tree', () => {
  const { findings, status } = structure()
  expect(findings).toEqual([])
  expect(status).toBe(0)
})

test('the counts are printed in any case', () => {
  expect(structure(tree).lines).toEqual([
    '0 types declared twice',
    '0 circles of imports',
    '0 files that are too long',
    '0 doc comments of one word',
    '0 functions that "answer"',
  ])
})

describe('types declared twice', () => {
  const ADVICE = 'give each a name of its own: a prefix, or the word for what it is.'

  test('are found wherever they are, and of whatever kind', () => {
    const found = findingsIn({
      'src/lib.rs': 'mod a;\nmod b;\n',
      'src/a/mod.rs': 'mod deep;\n\npub(super) struct Event;\ntype Other = u8;\n',
      'src/a/deep.rs': '/// It waits.\npub(in crate::a) enum Step { Event }\n',
      'src/b.rs': 'trait Event {}\n\nunion Step { a: u8 }\n',
    })
    expect(found).toEqual([
      `src/a/mod.rs:3: Event is also declared in src/b.rs:1; ${ADVICE}`,
      `src/a/deep.rs:2: Step is also declared in src/b.rs:3; ${ADVICE}`,
      `src/b.rs:1: Event is also declared in src/a/mod.rs:3; ${ADVICE}`,
      `src/b.rs:3: Step is also declared in src/a/deep.rs:2; ${ADVICE}`,
    ])
  })

  test('are no associated types, tests, comments, texts or variants for other platforms', () => {
    const found = findingsIn({
      'src/lib.rs': '#[cfg(unix)]\nmod a;\n#[cfg(not(unix))]\nmod b;\nmod c;\n#[cfg(test)]\nmod d;\n',
      'src/a.rs': 'struct Event;\n\nimpl Iterator for Event {\n    type Item = u8;\n}\n',
      'src/b.rs': 'struct Event;\n\nimpl Iterator for Event {\n    type Item = u8;\n}\n',
      'src/c.rs':
        '// struct Event;\nconst TEXT: &str = "\nstruct Event;\\"\n";\n\n#[cfg(test)]\nmod tests {\n    struct Event;\n}\n',
      'src/d.rs': 'struct Event;\n',
    })
    expect(found).toEqual([])
  })

  test('are found among classes', () => {
    expect(
      findingsIn({ 'lib/a.js': 'class Call {}\n', 'lib/b/c.js': '\nclass Call extends Array {}\n' }),
    ).toEqual([
      `lib/a.js:1: Call is also declared in lib/b/c.js:2; ${ADVICE}`,
      `lib/b/c.js:2: Call is also declared in lib/a.js:1; ${ADVICE}`,
    ])
  })
})

describe('circles of imports', () => {
  const ADVICE = 'move what both need into a module that uses neither.'

  test('are found between modules of a room, through `use` and through paths', () => {
    const found = findingsIn({
      'src/lib.rs': 'mod room;\n',
      'src/room/mod.rs': 'mod a;\nmod b;\nmod c;\n',
      'src/room/a.rs': 'use std::fmt;\n\nuse super::{\n    b::{One, Two as Other},\n};\npub fn a() {}\n',
      'src/room/b.rs': 'pub struct One(super::c::Three);\npub struct Two;\n',
      'src/room/c.rs': 'pub struct Three;\n\nfn c() {\n    crate::room::a::a();\n}\n',
    })
    const way = 'crate::room::a → crate::room::b (src/room/a.rs:3) → crate::room::c (src/room/b.rs:1)'
    expect(found).toEqual([`src/room/a.rs:3: ${way} → crate::room::a (src/room/c.rs:4); ${ADVICE}`])
  })

  test('a name that the room re-exports is an import of the module that declares it', () => {
    const found = findingsIn({
      'src/lib.rs': 'mod room;\n',
      'src/room/mod.rs': 'mod a;\nmod b;\n\npub use a::One;\npub use b::*;\n',
      'src/room/a.rs': 'use super::Two;\n\npub struct One(Two);\n',
      'src/room/b.rs': 'use crate::room::One;\n\npub struct Two(Box<One>);\n',
    })
    const way = 'crate::room::a → crate::room::b (src/room/a.rs:1) → crate::room::a (src/room/b.rs:1)'
    expect(found).toEqual([`src/room/a.rs:1: ${way}; ${ADVICE}`])
  })

  test('a room that declares what its modules use must not use them', () => {
    const found = findingsIn({
      'src/lib.rs': 'mod room;\n',
      'src/room/mod.rs': 'mod a;\n\nuse a::One;\n\npub struct Room(One);\n',
      'src/room/a.rs': 'use super::Room;\n\npub struct One(Box<Room>);\n',
    })
    const way = 'crate::room → crate::room::a (src/room/mod.rs:3) → crate::room (src/room/a.rs:1)'
    expect(found).toEqual([`src/room/mod.rs:3: ${way}; ${ADVICE}`])
  })

  test('are found between rooms, wherever in them', () => {
    const found = findingsIn({
      'src/lib.rs': 'mod a;\nmod b;\n',
      'src/a/mod.rs': 'mod deep;\n\npub struct One;\n',
      'src/a/deep.rs': 'use crate::b::Two;\n',
      'src/b.rs': 'use crate::a::One;\n\npub struct Two;\n',
    })
    expect(found).toEqual([
      `src/a/deep.rs:1: crate::a → crate::b (src/a/deep.rs:1) → crate::a (src/b.rs:1); ${ADVICE}`,
    ])
  })

  test('are no tests, no documentation, and nothing that goes one way', () => {
    const found = findingsIn({
      'src/lib.rs': 'mod room;\n',
      'src/room/mod.rs': 'mod a;\nmod b;\n\npub use a::One;\n',
      'src/room/a.rs':
        '/// See [`super::b::Two`].\npub struct One;\n\n#[cfg(test)]\nmod tests {\n    use super::super::b::Two;\n}\n',
      'src/room/b.rs': 'use super::One;\n\npub struct Two(One);\n',
    })
    expect(found).toEqual([])
  })

  test('are found among what is required', () => {
    const found = findingsIn({
      'lib/a.js': "'use strict'\nconst { b } = require('./c/b')\n",
      'lib/c/b.js': "function late() {\n  return require('../a.js')\n}\n",
    })
    expect(found).toEqual([
      `lib/a.js:2: lib/a.js → lib/c/b.js (lib/a.js:2) → lib/a.js (lib/c/b.js:2); ${ADVICE}`,
    ])
  })
})

test('files of more than 350 lines are found, and tests may be longer', () => {
  const lines = (count) => '//\n'.repeat(count)
  const found = findingsIn({
    'src/lib.rs': 'mod a;\n#[cfg(test)]\nmod contract;\n',
    'src/a.rs': lines(351),
    'src/contract/mod.rs': lines(400),
    'lib/b.js': lines(351),
    'scripts/c.mjs': lines(360),
    'd.js': lines(350),
    '__test__/e.test.js': lines(400),
  })
  const advice = 'divide it: a file is one noun of at most 350 lines.'
  expect(found).toEqual([
    `src/a.rs:351: 351 lines; ${advice}`,
    `lib/b.js:351: 351 lines; ${advice}`,
    `scripts/c.mjs:360: 360 lines; ${advice}`,
  ])
})

test('doc comments of one word are found, in tests too', () => {
  const found = findingsIn({
    'src/lib.rs': '//! Core.\n\nmod a;\n#[cfg(test)]\nmod tests;\n',
    'src/a.rs': '/// Two\n/// lines.\nstruct A {\n    /// `Which`\n    a: u8,\n}\n',
    'src/tests.rs': '/// Whose.\nstruct B;\n',
    'lib/c.js': '/** Whom. */\nconst c = 1\n/**\n * Why.\n */\nconst d = 2\n/** It waits. */\n',
  })
  const advice = 'is all it says; say it in a sentence, or leave it out.'
  expect(found).toEqual([
    `src/a.rs:4: "\`Which\`" ${advice}`,
    `src/lib.rs:1: "Core." ${advice}`,
    `src/tests.rs:1: "Whose." ${advice}`,
    `lib/c.js:1: "Whom." ${advice}`,
    `lib/c.js:3: "Why." ${advice}`,
  ])
})

describe('functions that "answer"', () => {
  const rust = (doc, code = 'fn f() {}') => ({ 'src/lib.rs': `/// ${doc}\n${code}\n` })

  test.each([
    'Answers whether it is late.',
    'Asks the store; answers what it says.',
    'Takes it, and answers its serial.',
    'Takes it over. Answers until when.',
    'What `f()` answers.',
  ])('%s', (doc) => {
    const found = findingsIn(rust(doc, '#[must_use]\npub(super) async fn f() {}'))
    expect(found).toEqual([
      expect.stringMatching(/^src\/lib\.rs:1: "[^"]*answers[^"]*"; write "returns"\.$/i),
    ])
  })

  test.each([
    'Reads the answers of the endpoint.',
    'Answers those who wait.',
    'Answers the next request.',
    'What the server answers with.',
  ])('not: %s', (doc) => expect(findingsIn(rust(doc))).toEqual([]))

  test('not where nothing returns: in the doc of a field', () => {
    expect(findingsIn(rust('Answers in a row.', 'struct S;'))).toEqual([])
  })

  test('in JavaScript', () => {
    const found = findingsIn({ 'lib/a.js': '/**\n * A parser; it answers\n * milliseconds.\n */\n' })
    expect(found).toEqual(['lib/a.js:1: "it answers milliseconds."; write "returns".'])
  })
})
