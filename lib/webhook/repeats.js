'use strict'

const { InvalidArgumentError } = require('../errors')
const { checkOptions } = require('../options/arguments')
const { describe, describeHidden } = require('../options/values')
const { captureFrames } = require('../stacks')

/** How long PagerDuty retries a webhook that was not accepted. */
const DEFAULT_TTL_MS = 172_800_000
const MOST_ID_CHARACTERS = 512

/**
 * Calls `handler` once for each id. Errors carry the stack of the caller of `below`. `index.d.ts`
 * documents it as `signer.handleOnce()`.
 */
async function handleOnce(result, seen, handler, options, below = handleOnce) {
  const fail = (message) => {
    const error = new InvalidArgumentError(message)
    captureFrames(error, below)
    throw error
  }
  const { id: given, ttlMs = DEFAULT_TTL_MS } = checkOptions('handleOnce', options, ['id', 'ttlMs'], below)
  if (typeof seen?.add !== 'function' || typeof seen.delete !== 'function') {
    fail(`handleOnce(result, seen) takes a store with add() and delete(), got ${describe(seen)}.`)
  }
  if (typeof handler !== 'function') {
    fail(`handleOnce(result, seen, handler) takes a function to call, got ${describe(handler)}.`)
  }
  if (typeof result !== 'object' || result === null) {
    fail(`handleOnce(result) takes what verify() returned, got ${describe(result)}.`)
  }
  // A signed id comes first: anybody who has seen a message can send it again with another unsigned
  // id.
  const id = result.id ?? given
  if (id === undefined) fail(`This message has no signed id: ${GIVE_ID}.`)
  if (typeof id !== 'string' || id === '' || id.length > MOST_ID_CHARACTERS) {
    fail(`The id of a message has 1 to ${MOST_ID_CHARACTERS} characters, got ${describeHidden(id)}.`)
  }

  const isNew = await seen.add(id, ttlMs)
  // A Set returns itself, and Redis returns 'OK': every repeat would count as new.
  if (typeof isNew !== 'boolean') {
    fail(`add() of the store has to return true for a new id and else false, got ${describe(isNew)}.`)
  }
  if (!isNew) return { duplicate: true }
  try {
    return { duplicate: false, value: await handler() }
  } catch (error) {
    await forget(seen, id, error)
    throw error
  }
}

const GIVE_ID =
  "give the sender's, as in handleOnce(result, seen, handler, { id: headers['x-github-delivery'] })"

/**
 * Deletes an id whose handler failed, so that the sender's retry is handled. If that fails as well,
 * the caller still gets the handler's error, with the other one as `seenError`.
 */
async function forget(seen, id, error) {
  try {
    await seen.delete(id)
  } catch (failure) {
    if (error instanceof Error && Object.isExtensible(error)) error.seenError = failure
  }
}

/**
 * A store of ids in memory, for one process. When it is full, it drops the oldest id. `index.d.ts`
 * documents it as `memorySeen()`.
 */
function memorySeen(options) {
  const { max = 100_000, now = monotonicNow } = checkOptions(
    'memorySeen',
    options,
    ['max', 'now'],
    memorySeen,
  )
  /** The entry of each id, the oldest first. */
  const entries = new Map()
  // One iterator for all calls: a new one would first pass the places of all dropped entries.
  let iterator = entries.values()
  let oldest

  const findOldest = () => {
    while (oldest === undefined || entries.get(oldest.id) !== oldest) {
      const { value, done } = iterator.next()
      if (done) iterator = entries.values()
      oldest = value
      if (entries.size === 0) return undefined
    }
    return oldest
  }

  return {
    add(id, ttlMs) {
      const instant = now()
      if (entries.get(id)?.expiry > instant) return false
      entries.delete(id)
      // Finds every expired id if all live equally long. Others may stay until they are the oldest.
      while (findOldest() !== undefined && (oldest.expiry <= instant || entries.size >= max)) {
        entries.delete(oldest.id)
      }
      entries.set(id, { id, expiry: instant + ttlMs })
      return true
    },
    delete(id) {
      return entries.delete(id)
    },
  }
}

/** Not the wall clock: setting it would make ids expire early or late. */
function monotonicNow() {
  return performance.now()
}

module.exports = { memorySeen, handleOnce }
