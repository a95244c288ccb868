'use strict'

const { World } = require('./world')

/**
 * Sends at least so many events through the example service while client secret and signing key are
 * changed, PagerDuty has bad moments, and the service is ended and killed. Resolves with what the
 * receiver and PagerDuty have counted. `directory` has the compiled example; `tell` gets a text for
 * everything that happens.
 */
async function sendThroughRotations({ directory, atLeast, rotations, tell = () => {} }) {
  const world = new World({ directory, tell })
  try {
    await world.start(atLeast)
    const { sender } = world
    const sent = sender.run()
    const ends = new Map([
      [Math.ceil(rotations / 2), 'SIGTERM'],
      [rotations, 'SIGKILL'],
    ])
    for (let number = 1; number <= rotations; number++) {
      await sender.reached((atLeast * number) / (rotations + 1))
      tell(`${sender.accepted} events are accepted`)
      world.disturbPagerDuty()
      await world.sendIncident(number)
      await Promise.all([world.rotateToken(number), world.rollKey()])
      if (ends.has(number)) await world.restart(ends.get(number))
    }
    sender.enough()
    await sent
    await world.settled({ events: sender.accepted + rotations, alerts: sender.accepted })
    return world.counts()
  } finally {
    await world.close()
  }
}

/** What is wrong with these counts: nothing, if every event arrived and none was refused. */
function flawsOf(counts, { rotations }) {
  const { accepted } = counts
  // Each rotation comes with a webhook of PagerDuty, which the receiver gets, too.
  const expected = { refused: 0, received: accepted + rotations, rejected: 0, alerts: accepted }
  return Object.entries(expected).flatMap(([name, value]) =>
    counts[name] === value ? [] : [`${name}: ${counts[name]} instead of ${value}`],
  )
}

module.exports = { flawsOf, sendThroughRotations }
