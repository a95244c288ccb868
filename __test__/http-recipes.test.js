'use strict'

const { mkdirSync, readFileSync, symlinkSync } = require('node:fs')
const path = require('node:path')

const { child } = require('./support/process')
const { createProject, removeDirectories } = require('./support/project')
const { closeAll } = require('./support/world')

const ROOT = path.join(__dirname, '..')
const guide = readFileSync(path.join(ROOT, 'docs/http.md'), 'utf8')

/** The blocks of code under a heading. */
function blocks(heading) {
  const [section] = guide.split(`\n### ${heading}\n`)[1].split(/\n##+ /)
  return [...section.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code)
}

afterEach(closeAll)
afterAll(removeDirectories)

describe.each(['got', 'ky'])('the recipe for %s', (client) => {
  let recipe

  beforeAll(() => {
    const directory = createProject({ 'recipe.mjs': blocks(client)[0] })
    const modules = path.join(directory, 'node_modules')
    mkdirSync(modules)
    symlinkSync(ROOT, path.join(modules, 'oauth-rotor'), 'junction')
    // Their exports hide the package.json by which others are found.
    symlinkSync(path.join(ROOT, 'node_modules', client), path.join(modules, client), 'junction')
    recipe = path.join(directory, 'recipe.mjs')
  })

  const result = (situation) => child('http-recipes.js', { recipe, situation }).result()

  test('a revoked token costs one token request, and the request ends well', async () => {
    expect(await result('revoked')).toEqual({
      outcomes: [200, 200],
      answers: [200, 401, 200],
      tokenRequests: 2,
    })
  })

  test('the request is repeated as it was, with its body', async () => {
    expect(await result('body')).toEqual({
      answer: { a: 1 },
      mine: ['kept', 'kept'],
      sent: ['{"a":1}', '{"a":1}'],
      tokens: ['test-token-1', 'test-token-2'],
    })
  })

  test('a second 401 is what the caller gets, and its error shows no token', async () => {
    const { outcomes, tokens, dropped, shown } = await result('refused')
    expect(outcomes).toEqual([401])
    expect(tokens).toEqual(['test-token-1', 'test-token-2'])
    expect(dropped).toEqual(['test-token-1'])
    expect(shown).toContain('401')
    expect(shown).not.toContain('test-token')
  })

  test('a token that the manager stands by is not sent again', async () => {
    expect(await result('stoodBy')).toEqual({ outcomes: [401], tokens: ['only'] })
  })

  test('no redirect to another origin carries a token, and its 401 is left alone', async () => {
    const { outcomes, tokens, elsewhere, dropped } = await result('redirected')
    expect(outcomes).toEqual([200, 200, 401, 200])
    const token = 'test-token-1'
    // /near and where it leads, /200, /401, /returning, and where that leads back to.
    expect(tokens).toEqual([token, token, token, token, token, null])
    expect(elsewhere).toEqual([null, null, null])
    expect(dropped).toBe(0)
  })

  test('a retry after a 503 carries the token of that moment', async () => {
    expect(await result('retried')).toEqual({ outcomes: [200], tokens: ['test-token-1', 'test-token-2'] })
  })

  test('a request with an Authorization of its own keeps it, and its 401 is left alone', async () => {
    expect(await result('own')).toEqual({ outcomes: [401], sent: ['Basic abc'], calls: 0 })
  })

  test('no token is told as the manager tells it, and nothing is sent', async () => {
    expect(await result('none')).toEqual({ outcomes: ['ERR_TOKEN_UNAVAILABLE'], tokens: [] })
  })

  test('a form with a file is sent again only where that is possible', async () => {
    const again = { outcomes: [200, 200], tokens: ['test-token-1', 'test-token-2', 'test-token-2'] }
    const refused = { outcomes: [401, 200], tokens: ['test-token-1', 'test-token-2'] }
    expect(await result('stream')).toEqual(client === 'ky' ? again : refused)
  })
})
