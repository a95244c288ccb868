'use strict'

const errors = require('../errors')
const { captureFrames, setStack } = require('../stacks')

const CLASSES = new Map(Object.values(errors).map((Class) => [Class.code, Class]))

/**
 * Makes an error of this realm from what the native part reports (`{ code, message, … }`, or its
 * JSON text).
 *
 * `site` says which stack the error carries: a function stands for the stack of its caller, and the
 * result of `callSite()` is for errors that arrive long after their caller has returned.
 */
function fromNative(report, site = fromNative) {
  const { code, message, cause, ...details } = typeof report === 'string' ? JSON.parse(report) : report
  const values = cause ? { ...details, cause: fromNative(cause, site) } : details
  const error = make(code, message, values)
  if (typeof site === 'function') captureFrames(error, site)
  else setStack(error, `${error.name}: ${message}${site.frames}`)
  return error
}

/** A code may have no class here: the native part may be newer. */
function make(code, message, values) {
  const Class = code === undefined ? undefined : CLASSES.get(code)
  return Class ? new Class(message, values) : new errors.RotorError(code, message, values)
}

module.exports = { fromNative }
