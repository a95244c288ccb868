'use strict'

const { Lanes } = require('./lanes')

/** The column where the text of a row begins, and its width. */
const INDENT = 47
const WIDTH = 65

/**
 * What happens to the credentials and their tokens: a row for each event, and a drawing at the end.
 */
class Timeline {
  #tokens
  #report
  #lanes = new Lanes()
  #begin = performance.now()

  constructor({ tokens, report }) {
    this.#tokens = tokens
    this.#report = report
    tokens.on('token', ({ serial, label }) => {
      this.#lanes.token(this.#elapsed(), serial)
      this.#row(`token ${serial} is handed out, fetched with ${label}`)
    })
    tokens.on('token-retired', ({ serial, reason }) => {
      if (reason !== 'replaced') this.#row(`token ${serial} is no longer handed out: ${reason}`)
    })
    tokens.on('refresh-failed', ({ error, runwayMs }) => {
      this.#row(`a refresh failed (${error.status ?? 'no answer'}); the held token lasts ${runwayMs} ms`)
    })
    tokens.on('credential-rejected', ({ label }) => this.#row(`the endpoint rejects ${label}`))
    tokens.on('rotation', (event) => {
      this.#row(`${event.change}: ${story(event)}`, event)
    })
  }

  begin(what) {
    this.#begin = performance.now()
    console.log(`${what}\n`)
    console.log(row(['time', 'phase', 'gen', 'active', 'token', 'requests'], 'what happens'))
  }

  /** A new part begins; a letter stands for it in the drawing. */
  part(letter, title) {
    if (letter) this.#lanes.part(this.#elapsed(), letter)
    const text = letter ? ` ${letter}) ${title} ` : ` ${title} `
    console.log(`\n--${text.padEnd(INDENT + WIDTH - 2, '-')}`)
  }

  /** Something that the demo does. */
  note(what) {
    this.#row(`* ${what}`)
  }

  finish() {
    console.log(`\n${this.#lanes.draw(this.#elapsed(), INDENT + WIDTH).join('\n')}`)
  }

  #elapsed() {
    return (performance.now() - this.#begin) / 1000
  }

  /** Prints a row with the phase of the event, or with the current one. */
  #row(what, event) {
    const { phase, generation, token, credentials } = this.#tokens.status()
    const at = this.#elapsed()
    this.#lanes.state(at, event?.to ?? phase, credentials)
    const active = event?.active ?? credentials.find(({ role }) => role === 'active')
    const cells = [
      `${at.toFixed(1)} s`,
      event?.to ?? phase,
      event?.generation ?? generation,
      active?.label,
      token?.serial,
      this.#report.started,
    ]
    console.log(row(cells, what))
  }
}

/** Returns in words what an event says. */
function story({ change, active, previous, next, at, retireNotBefore, message }) {
  const names = { active: active?.label, previous: previous?.label, next: next?.label }
  const seconds = ((retireNotBefore - at) / 1000).toFixed(1)
  const stories = {
    started: `${names.active} was accepted`,
    prepared: `a fresh token is held, nobody presents ${names.active}`,
    'preparation-ended': `${names.active} is presented again`,
    staged: `${names.next} is being proved`,
    promoted: `${names.active} is active, ${names.previous} a fallback for ${seconds} s`,
    'candidate-rejected': `${names.next} is given up, ${names.active} stays active`,
    'rolled-back': `${names.active} is active again, ${names.previous} a fallback`,
    retired: `${names.previous} is never presented again`,
    'not-persisted': `${names.active} is kept only in this process`,
  }
  return stories[change] ?? message ?? `${names.active} is active`
}

function row([time, phase, generation, active, token, requests], what) {
  const cells = [
    time.padStart(7),
    phase.padEnd(8),
    String(generation).padStart(3),
    (active ?? '-').padEnd(6),
    String(token ?? '-').padStart(5),
    String(requests).padStart(8),
  ]
  return `${cells.join('  ').padEnd(INDENT)}  ${what}`
}

module.exports = { Timeline }
