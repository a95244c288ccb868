'use strict'

const { KINDS, crashes } = require('./support/crashes')
const { closeAll } = require('./support/world')

afterEach(closeAll)

/** Another one each time; an error names it. */
const seed = Math.floor(Math.random() * 2 ** 32)
const KILLS = 20

test('killed at any moment of a rotation, a process is followed by one that gets a token unaided', async () => {
  const all = await Promise.all(KINDS.map((kind) => crashes({ kind, kills: KILLS, seed })))
  for (const deaths of all) {
    expect(deaths).toHaveLength(KILLS)
    // It died before and after what the whole depends on.
    const wasPromoted = deaths.map(({ told }) => told.includes('promoted'))
    expect(new Set(wasPromoted)).toEqual(new Set([true, false]))
    expect(new Set(deaths.map(({ isKept }) => isKept))).toEqual(new Set([true, false]))
  }
})
