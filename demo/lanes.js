'use strict'

/**
 * The sign of each role and phase. If several fall into one column, the first of these is drawn.
 */
const ROLES = { next: '?', quarantined: 'x', active: '=', previous: '-', retired: '.' }
const PHASES = { degraded: 'D', prepared: 'P', staged: 'S', overlap: 'O', stable: '_' }
const LEGEND = [
  '= active  - fallback  ? being proved  x rejected  . retired: never presented again',
  '_ stable  P prepared  S staged  O overlap  D degraded',
]
const NAME_WIDTH = 9

/** A drawing over time: a line for the phase, one for the tokens, and one for each credential. */
class Lanes {
  #states = []
  #tokens = []
  #parts = []

  part(at, letter) {
    this.#parts.push({ at, text: letter })
  }

  token(at, serial) {
    this.#tokens.push({ at, text: String(serial) })
  }

  state(at, phase, credentials) {
    const roles = new Map(credentials.map(({ label, role }) => [label, role]))
    // The status no longer has a retired credential that no source yields.
    for (const [label, role] of this.#states.at(-1)?.roles ?? []) {
      if (!roles.has(label) && (role === 'previous' || role === 'retired')) roles.set(label, 'retired')
    }
    this.#states.push({ at, phase, roles })
  }

  /** Returns the lines for the first seconds. */
  draw(seconds, width) {
    const columns = width - NAME_WIDTH
    const column = (at) => Math.min(columns - 1, Math.floor((at / seconds) * columns))
    const ticks = Array.from({ length: Math.ceil(seconds / 10) }, (_, index) => {
      return { at: index * 10, text: `|${index * 10} s` }
    })
    const labels = new Set(this.#states.flatMap(({ roles }) => [...roles.keys()]))
    const lines = [
      ['', marks(ticks, columns, column)],
      ['part', marks(this.#parts, columns, column)],
      ['phase', this.#lane(PHASES, columns, column, ({ phase }) => phase)],
      ['token', marks(this.#tokens, columns, column)],
      ...[...labels].map((label) => [
        label,
        this.#lane(ROLES, columns, column, ({ roles }) => roles.get(label)),
      ]),
    ]
    const drawn = lines.map(([name, lane]) => `${name.padEnd(NAME_WIDTH)}${lane}`.trimEnd())
    return [...drawn, ...LEGEND.map((line) => `${' '.repeat(NAME_WIDTH)}${line}`)]
  }

  /** Draws for each column what was true at some time in it. */
  #lane(signs, columns, column, what) {
    const seen = Array.from({ length: columns }, () => new Set())
    this.#states.forEach((state, index) => {
      const next = this.#states[index + 1]
      const end = next ? column(next.at) : columns - 1
      for (let at = column(state.at); at <= end; at++) seen[at].add(what(state))
    })
    return seen.map((values) => signs[Object.keys(signs).find((one) => values.has(one))] ?? ' ').join('')
  }
}

/** Puts texts at their times. A text without room moves to the right. */
function marks(list, columns, column) {
  let line = ''
  for (const { at, text } of list) {
    const start = line === '' ? column(at) : Math.max(column(at), line.length + 1)
    line = `${line.padEnd(start)}${text}`
  }
  return line.slice(0, columns)
}

module.exports = { Lanes }
