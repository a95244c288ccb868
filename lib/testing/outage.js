'use strict'

/**
 * Returns the response during an outage, by the knob `outage`, or undefined without one.
 * `bodyOf(status)` returns the body of this server's errors.
 */
function outageAnswer(outage, bodyOf) {
  if (outage === false) return undefined
  if (outage === true) return { destroy: true }
  if (outage === 'html') {
    const body = '<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>'
    return { status: 502, headers: { 'Content-Type': 'text/html' }, body }
  }
  return { status: outage, body: bodyOf(outage) }
}

module.exports = { outageAnswer }
