'use strict'

// Opens a manager, lets the test watch how the process ends.

const { manager } = require('../world')

const { tokenUrl, how, options } = JSON.parse(process.argv[2])
const tokens = manager({ tokenUrl }, options)
const say = (text) => console.log(text)
const ask = (signal) =>
  tokens.getToken({ signal }).then(
    (token) => say(`token ${token}`),
    (error) => say(`refused ${error.code}`),
  )

const ways = {
  idle: () => ask(),
  unused: () => say('opened'),
  pending: () => {
    ask()
    say('asking')
  },
  aborted: () => {
    const controller = new AbortController()
    controller.signal.onabort = () => say('aborted')
    ask(controller.signal)
    setImmediate(() => controller.abort(Object.assign(new Error(), { code: 'MINE' })))
  },
  rotating: () => {
    tokens.rotate({ clientId: 'app', clientSecret: 'new', deadlineMs: 1000 }).catch(({ code }) => say(code))
    say('rotating')
  },
  closed: () => {
    ask()
    setImmediate(() => tokens.close())
  },
  exit: () => whenTold(() => process.exit(3)),
  'exit-in-listener': () => {
    tokens.on('token', () => process.exit(4))
    // The event comes after the token, and holds nothing.
    process.stdin.resume()
  },
  throw: () =>
    whenTold(() => {
      throw new Error('mine')
    }),
  stay: () => whenTold(() => {}),
}

/** Does it in mid-fetch: the test says when its server has the request. */
function whenTold(act) {
  ask()
  process.stdin.once('data', act)
}

ways[how]()
