'use strict'

// Turns a sequence of calls into what one has to read: which files, in which order, and how often
// one comes back to each.
//
// A call is `{ key, file, stack }`: which function is called, the file that it is written in, and
// the files of all functions that wait for it to return. Returning enters nothing. Calling a
// function once more, or polling an `async fn` again, does not either: the reader has read it. So
// only the first call of each function is an entry into its file.
//
// A file is left as soon as another file is entered that nothing in it has called, directly or
// through others. It is entered again when one of its functions is called for the first time after
// that: the reader has to come back for something not yet read. `switches` counts, for all calls,
// how often the file of a call is not that of the call before. `leadsTo` says how many other files
// are called from it: where it is 0, the walk only looks in.

/** Returns the files in order of their first entry: `{ file, again, switches, leadsTo }`. */
function filesOf(calls) {
  const files = new Map()
  const read = new Set()
  let last
  for (const { key, file, stack } of calls) {
    const known = files.get(file) ?? { file, again: 0, switches: 0, callers: new Set(), isLeft: false }
    files.set(file, known)
    if (last !== file) known.switches += 1
    last = file
    const caller = stack.find((other) => other !== file)
    if (caller) known.callers.add(caller)
    if (read.has(key)) continue
    read.add(key)
    const open = new Set(stack).add(file)
    if (known.isLeft && !stack.includes(file)) known.again += 1
    known.isLeft = false
    for (const other of files.values()) if (!open.has(other.file)) other.isLeft = true
  }
  const all = [...files.values()]
  const leadsTo = (file) => all.filter(({ callers }) => callers.has(file)).length
  return all.map(({ file, again, switches }) => ({ file, again, switches, leadsTo: leadsTo(file) }))
}

/** Returns what keeps a walk from its targets, as sentences. */
function missed({ name, files }, { mostFiles, mostLines, mostAgain }) {
  return [
    ...(files.length > mostFiles ? [`${name} passes ${files.length} files, not ${mostFiles} at most.`] : []),
    ...files
      .filter(({ lines }) => lines > mostLines)
      .map(({ file, lines }) => `${name}: ${file} has ${lines} lines, not ${mostLines} at most.`),
    ...files
      .filter(({ again }) => again > mostAgain)
      .map(
        ({ file, again }) => `${name}: ${file} is entered again ${again} times, not ${mostAgain} at most.`,
      ),
  ]
}

/** Returns one walk as a table. */
function tableOf(files) {
  const rows = files.map(({ file, lines, does, again, switches, leadsTo }, index) => {
    return `| ${index + 1} | \`${file}\` | ${lines} | ${does.replaceAll('|', '\\|')} | ${leadsTo} | ${again} | ${switches} |`
  })
  return [
    '|  | file | lines | what it is | leads to | entered again | switches |',
    '| ---: | --- | ---: | --- | ---: | ---: | ---: |',
    ...rows,
  ].join('\n')
}

/**
 * Returns what a file is: the first sentence about it, about its class, or about its first
 * function.
 */
function firstSentence(source) {
  const [, comment = ''] =
    /^((?:\/\/![^\n]*\n)+)/.exec(source) ??
    /(\/\*\*(?:[^*]|\*(?!\/))*\*\/)\n(?=class)/.exec(source) ??
    /(\/\*\*(?:[^*]|\*(?!\/))*\*\/)\n(?=(?:async )?function)/.exec(source) ??
    []
  const text = comment
    .replace(/^[ \t]*(?:\/\/!|\/?\*+\/?)|\*\/$/gm, '')
    .replace(/\[(`[^`]*`)\](?:\([^)]*\))?/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
  return /^(.*?)[.:;](?=\s|$)/.exec(text)?.[1] ?? text
}

module.exports = { filesOf, missed, tableOf, firstSentence }
