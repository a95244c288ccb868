'use strict'

const { existsSync, readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')

const errors = require('../lib/errors')
const native = require('../lib/native/load')
const { genesysCloud, oauth2, pagerDuty } = require('../lib/options/provider')
const { staleVariables } = require('../lib/options/persist')
const { failure, parse, valid } = require('./support/seam')

const read = (file) => readFileSync(path.join(__dirname, '..', file), 'utf8')
const errorsGuide = read('docs/errors.md')
const optionsGuide = read('docs/options.md')
const types = read('index.d.ts')

/** The cells of the table row that begins with this cell. */
function row(guide, first) {
  const rows = guide.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  return rows.find(([, cell]) => cell === first).slice(1, -1)
}

/** The known keys of a place, as the message about an unknown one lists them. */
function knownKeys(options) {
  const { message } = failure(options).problems.find(({ option }) => option.endsWith('zzzzzzzzzzzzzz'))
  return /Known here: (.*)\.$/.exec(message)[1].split(', ')
}

const unknown = { zzzzzzzzzzzzzz: 1 }
const OPTIONS = {
  manager: knownKeys(valid(unknown)),
  provider: knownKeys(valid({ provider: oauth2(unknown) })),
  tls: knownKeys(valid({ provider: oauth2({ tls: unknown }) })),
  credential: knownKeys(valid({ credentials: unknown })),
}

const CODES = Object.values(errors).flatMap(({ code }) => code ?? [])

describe.each(CODES)('%s', (code) => {
  const Class = Object.values(errors).find((value) => value?.code === code)

  test('has a section and a row in docs/errors.md', () => {
    expect(errorsGuide).toMatch(new RegExp(`^##+ ${code}$`, 'm'))
    const [, name, retryable] = row(errorsGuide, `[\`${code}\`](#${code.toLowerCase()})`)
    expect(name).toBe(`\`${Class.name}\``)
    if (code === 'ERR_TOKEN_UNAVAILABLE') return
    // Some say otherwise of an answer that leaves it open.
    const exception = new Class('…', { retryable: true }).retryable ? /^mostly no$/ : /^no$/
    expect(retryable).toMatch(new Class('…').retryable ? /^yes$/ : exception)
  })

  test('is the code of its class in index.d.ts', () => {
    const declaration = types.slice(types.indexOf(`export class ${Class.name} extends RotorError {`))
    expect(declaration.slice(0, declaration.indexOf('\n}'))).toContain(`readonly code: '${code}'`)
  })
})

test('docs/errors.md and index.d.ts know no other codes', () => {
  const named = new Set(
    [...errorsGuide.matchAll(/ERR_[A-Z_]+/g), ...types.matchAll(/ERR_[A-Z_]+/g)].map(([code]) => code),
  )
  expect([...named].sort()).toEqual([...CODES].sort())
})

describe('options', () => {
  test.each(Object.entries(OPTIONS).flatMap(([place, keys]) => keys.map((key) => [place, key])))(
    'of the %s: %s is in docs/options.md and in index.d.ts',
    (_, key) => {
      expect(optionsGuide).toMatch(new RegExp(`[\`{ ]${key}[\`, }]`))
      expect(types).toMatch(new RegExp(`^\\s+${key}\\??: `, 'm'))
    },
  )

  test('the tables of docs/options.md name no others', () => {
    const named = [...optionsGuide.matchAll(/^\| `([a-z][A-Za-z]*)` +\|/gm)].map(([, name]) => name)
    const known = Object.values(OPTIONS).flat()
    expect(
      named.filter((name) => !known.includes(name) && !/^(oauth2|genesysCloud|pagerDuty)$/.test(name)),
    ).toEqual([])
    expect(named.length).toBeGreaterThan(25)
  })
})

describe('ranges', () => {
  const { problems } = failure(
    valid({
      ...Object.fromEntries(OPTIONS.manager.filter((key) => key.endsWith('Ms')).map((key) => [key, -1])),
      provider: oauth2({ tokenUrl: 'https://idp.example', defaultLifetimeMs: -1, propagationMs: -1 }),
    }),
  )
  const ranges = problems.map(({ option, message }) => [
    option.replace('provider.', ''),
    ...message.match(/from (\d[\d,]*) to (\d[\d,]*\d)/).slice(1),
  ])

  test('there is one for each duration', () => expect(ranges).toHaveLength(12))

  test.each(ranges)('%s from %s to %s is what docs/options.md and index.d.ts say', (option, min, max) => {
    const [, takes] = row(optionsGuide, `\`${option}\``)
    expect(takes).toMatch(new RegExp(`^${min} to ${max}`))
    const end = types.search(new RegExp(`^\\s+${option}\\??: `, 'm'))
    const comment = types.slice(types.lastIndexOf('/**', end), end).replace(/\s+\*?\s*/g, ' ')
    expect(comment).toContain(`${min} to ${max}`)
  })
})

/** What GitHub makes of a heading. */
const anchor = (title) =>
  title
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-')

const headings = (text) => [...text.matchAll(/^##+ (.+)$/gm)].map(([, title]) => anchor(title))

describe.each(['deploying', 'rotation', 'alerts'])('docs/%s.md', (name) => {
  test('has a table of its sections', () => {
    const guide = read(`docs/${name}.md`)
    const listed = [...guide.matchAll(/^- \[(.+)\]\(#(.+)\)$/gm)].map(([, title, to]) => [title, to])
    const sections = [...guide.matchAll(/^## (.+)$/gm)].map(([, title]) => [title, anchor(title)])
    const [first] = listed
    expect(listed).toEqual(sections.slice(sections.findIndex(([title]) => title === first[0])))
    expect(listed.length).toBeGreaterThan(3)
  })
})

const PAGES = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CHANGELOG.md']
const GUIDES = readdirSync(path.join(__dirname, '..', 'docs'), { recursive: true })
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/${file}`)

test.each([...PAGES, ...GUIDES])('the links of %s lead somewhere', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)]
  const broken = links.filter(([, file, to]) => {
    const target = path.join(path.dirname(page), file || path.basename(page))
    if (!existsSync(path.join(__dirname, '..', target))) return true
    return to !== undefined && !headings(read(target)).includes(to)
  })
  expect(broken.map(([link]) => link)).toEqual([])
})

describe('docs/deploying.md', () => {
  const guide = read('docs/deploying.md')

  test('has the warning as it is printed', () => {
    const file = { kind: 'envFile', path: '/srv/app/.env' }
    const names = { clientId: 'GC_CLIENT_ID', clientSecret: 'GC_CLIENT_SECRET' }
    const [, shown] = /OAuthRotorWarning: ([^…]+)…/.exec(guide)
    expect(staleVariables(0, { ...names, file }).startsWith(shown.replaceAll('\n', ' '))).toBe(true)
  })
})

test.each([
  ['oauth2', oauth2({ tokenUrl: 'https://idp.example' })],
  ['genesysCloud', genesysCloud({ region: 'us_east_1' })],
  ['pagerDuty', pagerDuty({ scope: 'x' })],
])('docs/options.md has the error codes by which %s rejects a client', (name, provider) => {
  const section = optionsGuide.slice(optionsGuide.indexOf('### Error codes that mean the client'))
  const [, list] = row(section, `\`${name}\``)
  const documented = [...list.matchAll(/`([^`]+)`/g)].map(([, code]) => code)
  expect(documented.sort()).toEqual(parse(valid({ provider })).native.endpoint.rejectedErrors)
})

test('docs/genesys.md has the host of every region', () => {
  const cells = read('docs/genesys.md').matchAll(/`([a-z]+(?:_[a-z]+)+_\d)`[^|]*\| (login\.[a-z0-9.-]+)/g)
  const documented = Object.fromEntries([...cells].map(([, region, host]) => [region, host]))
  const { error } = JSON.parse(native.genesysHost('nowhere'))
  const regions = error.match(/[a-z]+(_[a-z]+)+_\d/g)
  expect(Object.keys(documented).sort()).toEqual([...regions].sort())
  for (const region of regions) {
    expect(JSON.parse(native.genesysHost(region)).host).toBe(documented[region])
  }
})
