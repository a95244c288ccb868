// A text of lines that come from source files, and where each of their words comes from: a source map.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const WORD = /[\w$]+|[^\w$\s]/g

export class SourceLines {
  #lines = []
  #mappings = []
  #sources = []
  #contents = []
  /** What the next segment's numbers are relative to: source, line, column. */
  #last = [0, 0, 0]

  /** A line that is in no source. */
  add(line) {
    this.#lines.push(line)
    this.#mappings.push('')
  }

  /** The lines of a source, with as much of each changed as its line breaks allow. */
  addSource(name, contents, changed) {
    this.#sources.push(name)
    this.#contents.push(contents)
    const source = this.#sources.length - 1
    for (const [number, line] of changed.split('\n').entries()) {
      this.#lines.push(line)
      this.#mappings.push(this.#segments(line, source, number))
    }
  }

  /** The text, with its map as its last line. */
  text() {
    const map = {
      version: 3,
      sources: this.#sources,
      sourcesContent: this.#contents,
      names: [],
      mappings: this.#mappings.join(';'),
    }
    const encoded = Buffer.from(JSON.stringify(map)).toString('base64')
    return `${this.#lines.join('\n')}\n//# sourceMappingURL=data:application/json;base64,${encoded}`
  }

  /** A segment for each word. */
  #segments(line, source, number) {
    let before = 0
    const segments = Array.from(line.matchAll(WORD), ({ index: column }) => {
      const place = [source, number, column]
      const changes = place.map((value, position) => value - this.#last[position])
      this.#last = place
      const segment = [column - before, ...changes].map(quantity).join('')
      before = column
      return segment
    })
    return segments.join(',')
  }
}

/** A number as source maps write it: digits of five bits, the sign in the lowest bit of the first. */
function quantity(number) {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1
  let digits = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    digits += DIGITS[rest > 0 ? digit | 32 : digit]
  } while (rest > 0)
  return digits
}
