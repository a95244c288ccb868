'use strict'

const { readFileSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const { join } = require('node:path')
const { version } = require('../package.json')

const FILE = join(__dirname, 'RESULTS.md')

/** Results as Markdown: printed at once, and on request written to a file with the conditions. */
class Results {
  #text = ''

  title(text) {
    this.#add(`# ${text}`)
  }

  section(text) {
    this.#add(`## ${text}`)
  }

  say(text) {
    this.#add(text)
  }

  /**
   * Adds rows of cells. The first row is the head. The first column is text, the others are
   * figures.
   */
  table(rows) {
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
    const line = (row) =>
      `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
    const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
    const [head, ...body] = rows
    this.#add([line(head), rule, ...body.map(line)].join('\n'))
  }

  conditions() {
    const [{ model }] = os.cpus()
    const cores = os.cpus().length
    this.table([
      ['Condition', ''],
      ['Date', new Date().toISOString().slice(0, 10)],
      ['Package', `oauth-rotor ${version}`],
      ['Node.js', `${process.version} (V8 ${process.versions.v8})`],
      ['CPU', `${model}, ${cores} cores, ${process.arch}`],
      ['Load at the start', `${os.loadavg()[0].toFixed(1)} on ${cores} cores`],
      ['Operating system', operatingSystem()],
    ])
  }

  write() {
    writeFileSync(FILE, `${this.#text.trim()}\n`)
  }

  #add(text) {
    console.log(`${text}\n`)
    this.#text += `${text}\n\n`
  }
}

function operatingSystem() {
  const kernel = `${os.type()} ${os.release().split('-')[0]}`
  try {
    const [, name] = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))
    return `${name}, ${kernel}`
  } catch {
    return kernel
  }
}

module.exports = { Results }
