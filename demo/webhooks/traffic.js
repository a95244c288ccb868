'use strict'

const { World } = require('./world')

/**
 * Sends events through the example service while client secret and signing key are changed, PagerDuty
 * has bad moments, and the service is ended and killed. Resolves with what the receiver and PagerDuty
 * have counted. `directory` has the compiled example; `tell` gets a text for everything that happens.
 */
async function sendThroughRotations({ directory, total, rotations, tell = () => {} }) {
  const world = new World({ directory, tell })
  try {
    await world.start(total)
    const { sender } = world
    const sent = sender.run()
    const ends = new Map([
      [Math.ceil(rotations / 2), 'SIGTERM'],
      [rotations, 'SIGKILL'],
    ])
    for (let number = 1; number <= rotations; number++) {
      await sender.reached(number / (rotations + 1))
      tell(`${sender.accepted} events are accepted`)
      world.disturbPagerDuty()
      await world.sendIncident(number)
      await Promise.all([world.rotateToken(number), world.rollKey()])
      if (ends.has(number)) await world.restart(ends.get(number))
    }
    await sent
    await world.settled({ events: total + rotations, alerts: total })
    return world.counts()
  } finally {
    await world.close()
  }
}

/** What is wrong with these counts: nothing, if every event arrived and none was refused. */
function flawsOf(counts, { total, rotations }) {
  const expected = {
    accepted: total,
    refused: 0,
    received: total + rotations,
    rejected: 0,
    alerts: total,
  }
  return Object.entries(expected).flatMap(([name, value]) =>
    counts[name] === value ? [] : [`${name}: ${counts[name]} instead of ${value}`],
  )
}

module.exports = { flawsOf, sendThroughRotations }
