'use strict'

/** Keeps the frames of the caller of `below` for an error that may come later. */
function callSite(below) {
  const holder = {}
  captureFrames(holder, below)
  const [, ...frames] = String(holder.stack).split(/(?=\n)/)
  return { frames: frames.join('') }
}

/**
 * Gives an object the stack of the caller of `below`. An engine that drops the frames of tail calls
 * (Bun) may not find `below` on its stack. The object then gets all frames but those of this
 * package.
 */
function captureFrames(target, below) {
  Error.captureStackTrace(target, below)
  if (String(target.stack).includes('\n    at ')) return
  const header = String(target.stack)
  const all = String(new Error().stack)
    .split('\n')
    .filter((line) => line.startsWith('    at '))
  const others = all.filter((line) => !line.includes(__dirname))
  // In a bundle, all frames are in one file.
  setStack(target, [header, ...(others.length > 0 ? others : all)].join('\n'))
}

function setStack(target, stack) {
  const hidden = { writable: true, configurable: true, enumerable: false }
  Object.defineProperty(target, 'stack', { value: stack, ...hidden })
}

module.exports = { callSite, captureFrames, setStack }
