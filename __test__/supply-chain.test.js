'use strict'

const { cpSync, mkdirSync, readFileSync, readdirSync } = require('node:fs')
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const { createServer } = require('node:http')
const os = require('node:os')
const path = require('node:path')

const { parse } = require('yaml')

const project = require('./support/project')
const manifest = require('../package.json')

const ROOT = path.join(__dirname, '..')
const WORKFLOWS = path.join(ROOT, '.github', 'workflows')
const platforms = readdirSync(path.join(ROOT, 'npm')).sort()
const read = (...names) => readFileSync(path.join(ROOT, ...names), 'utf8')

afterAll(project.removeDirectories)

/** What a module of scripts/ says, in a process of its own: Jest loads no ES modules. */
async function evaluate(module, expression) {
  const url = JSON.stringify(path.join(ROOT, 'scripts', module))
  const code = `import { pathToFileURL } from 'node:url'
    const it = await import(pathToFileURL(${url}))
    console.log(JSON.stringify(${expression}))`
  const { code: status, output } = await project.node(['--input-type=module', '-e', code], { cwd: ROOT })
  if (status !== 0) throw new Error(output)
  return JSON.parse(output)
}

describe('the addon', () => {
  const isOptimized = (line) =>
    evaluate('support/lto.mjs', `it.isOptimizedAsAWhole(${JSON.stringify(`   Compiling x\n${line}\n`)})`)
  const rustc =
    'Running `rustc --crate-name oauth_rotor --edition=2024 src/lib.rs --crate-type cdylib -C opt-level=s'

  test('is a library for Node.js alone, or cargo would not optimize it as a whole', () => {
    const [, types] = /^crate-type = (.*)$/m.exec(read('Cargo.toml'))
    expect(types).toBe('["cdylib"]')
    expect(read('Cargo.toml')).toMatch(/^lto = "fat"$/m)
  })

  test.each([
    ['-C lto -C codegen-units=1`', true],
    ['-C lto=fat`', true],
    ['-C embed-bitcode=no`', false],
    ['-C lto=off`', false],
  ])('that is compiled with %s is optimized as a whole: %s', async (flags, expected) => {
    expect(await isOptimized(`${rustc} ${flags}`)).toBe(expected)
  })

  test('that was not compiled is not known to be', async () => {
    expect(await isOptimized('Fresh oauth-rotor')).toBe(false)
  })

  test('has the dependencies that the fuzz target compiles its core with', () => {
    const section = (file, name) =>
      read(file)
        .split(`\n[${name}]\n`)[1]
        .split(/\n\n\[/)[0]
        .split('\n')
    const ofCore = section('Cargo.toml', 'dependencies').filter(
      (line) => !line.startsWith('#') && !line.includes('optional = true'),
    )
    const ofTarget = section('fuzz/Cargo.toml', 'dependencies').filter(
      (line) => !/^#|^libfuzzer-sys/.test(line),
    )
    expect(ofTarget).toEqual(ofCore)
    expect(ofCore.length).toBeGreaterThan(8)
    const toBuild = (file) => section(file, 'build-dependencies')
    expect(toBuild('fuzz/Cargo.toml')).toEqual(toBuild('Cargo.toml'))
  })
})

describe('the JavaScript that is published', () => {
  const resolve = (name) =>
    evaluate('support/bundle.mjs', `it.resolve('lib/errors.js', '${name}') ?? 'elsewhere'`)

  test.each([
    ['./stacks', 'lib/stacks.js'],
    ['../package.json', 'package.json'],
    ['node:path', 'elsewhere'],
    ['prom-client', 'elsewhere'],
    ['oauth-rotor-linux-x64-gnu/package.json', 'elsewhere'],
  ])('may require %s', async (name, found) => {
    expect(await resolve(name)).toBe(found)
  })

  test.each([
    'dotenv',
    'yaml',
    '../node_modules/yaml/index.js',
    '../scripts/support/steps',
    '../../package.json',
  ])('is not packed when it requires %s', async (name) => {
    await expect(resolve(name)).rejects.toThrow(/lib\/errors\.js needs .*(not in lib\/|not ours)/)
  })
})

describe('workflows', () => {
  const files = readdirSync(WORKFLOWS)
  const texts = Object.fromEntries(files.map((file) => [file, read('.github', 'workflows', file)]))
  const workflows = Object.fromEntries(files.map((file) => [file, parse(texts[file])]))
  const jobs = files.flatMap((file) =>
    Object.entries(workflows[file].jobs).map(([name, job]) => ({ file, name, job })),
  )
  const steps = jobs.flatMap(({ file, job }) => (job.steps ?? []).map((step) => ({ file, ...step })))

  test('name every action by its commit, with its version beside it', () => {
    const uses = files.flatMap((file) => texts[file].split('\n').filter((line) => /\buses:/.test(line)))
    const foreign = uses.filter((line) => !/uses: \.\//.test(line))
    expect(foreign.length).toBeGreaterThan(5)
    const pinned = /^\s+(- )?uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/
    expect(foreign.filter((line) => !pinned.test(line))).toEqual([])
    // The same text as the parser sees, so that no other spelling escapes.
    expect(foreign).toHaveLength(steps.filter((step) => step.uses).length)
  })

  test('name an image by its digest, and pipe nothing from the network into a shell', () => {
    const commands = steps.map((step) => step.run ?? '').join('\n')
    const images = commands.match(/\bnode:[\w.-]+\S*/g)
    expect(images.length).toBeGreaterThan(0)
    expect(images.filter((image) => !/^node:[\d.]+-alpine[\d.]+@sha256:[0-9a-f]{64}$/.test(image))).toEqual(
      [],
    )
    expect(commands).not.toMatch(/\bcurl\b|\bwget\b|\|\s*(ba)?sh\b/)
    expect(jobs.filter(({ job }) => job.container || job.services)).toEqual([])
  })

  test('may read the sources and no more, but for the one job that publishes', () => {
    for (const file of files) expect([{}, { contents: 'read' }]).toContainEqual(workflows[file].permissions)
    const more = jobs.filter(({ job }) =>
      Object.entries(job.permissions ?? {}).some(([key, value]) => key !== 'contents' || value !== 'read'),
    )
    expect(more.map(({ file, name }) => `${file} ${name}`)).toEqual(['release.yml publish'])
    expect(more[0].job.permissions).toEqual({ contents: 'read', 'id-token': 'write' })
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    expect(checkouts.filter((step) => step.with?.['persist-credentials'] !== false)).toEqual([])
    expect(Object.values(texts).join('')).not.toMatch(/\bsecrets\.|pull_request_target/)
  })

  test('a release publishes what was audited, and built and tested for every platform', () => {
    const { on, jobs } = workflows['release.yml']
    expect(on).toEqual({ push: { tags: ['v*'] } })
    expect(jobs.audit.uses).toBe('./.github/workflows/audit.yml')
    expect(jobs.platforms.uses).toBe('./.github/workflows/platforms.yml')
    for (const file of ['audit.yml', 'platforms.yml'])
      expect(workflows[file].on).toHaveProperty('workflow_call')
    expect(jobs.publish.needs.sort()).toEqual(['audit', 'platforms'])
    expect(jobs.publish.environment).toBe('npm')
    const { matrix } = workflows['platforms.yml'].jobs.platform.strategy
    expect(matrix.include.map(({ name }) => name).sort()).toEqual(platforms)
  })

  test('no code of a dependency runs where packages can be published', () => {
    const runs = workflows['release.yml'].jobs.publish.steps.map((step) => step.run).filter(Boolean)
    expect(runs).toEqual(['node scripts/publish.mjs --from packages --tag "$GITHUB_REF_NAME"'])
    const imported = ['publish.mjs', 'support/steps.mjs'].flatMap((file) =>
      [...read('scripts', file).matchAll(/ from '(.*)'$/gm)].map(([, name]) => name),
    )
    expect(imported.filter((name) => !name.startsWith('node:') && name !== './support/steps.mjs')).toEqual([])
  })

  test('install by the lock files, and run no script of a package that is installed', () => {
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true')
    const commands = steps.map((step) => step.run ?? '').join('\n')
    expect(commands).toMatch(/\bnpm ci\b/)
    expect(commands).not.toMatch(/\bnpm (i|install|add)\b|\bnpx (?!jest)|\bcargo install\b/)
    expect(read('scripts', 'release-build.mjs')).toContain("'--', '--locked'")
  })
})

describe('publishing', () => {
  const repository = { type: 'git', url: 'git+https://git.example/oauth-rotor.git' }
  const tag = `v${manifest.version}`

  /** A checkout with what publishing needs, and the tarballs as the workflow downloads them. */
  async function checkout({ changes = { repository }, packed = {} } = {}) {
    const directory = project.createProject({})
    for (const name of ['npm', 'scripts']) {
      cpSync(path.join(ROOT, name), path.join(directory, name), { recursive: true })
    }
    project.write(directory, 'package.json', JSON.stringify({ ...manifest, ...changes }))
    for (const platform of platforms) await pack(directory, platform, `oauth-rotor-${platform}`, packed)
    await pack(directory, 'linux-x64-gnu', 'oauth-rotor', packed)
    return directory
  }

  async function pack(directory, place, name, packed) {
    const stage = project.temporaryDirectory()
    const contents = { name, version: manifest.version, repository, ...packed[name] }
    project.write(stage, 'package/package.json', JSON.stringify(contents))
    const file = path.join(directory, 'packages', place, `${name}-${manifest.version}.tgz`)
    mkdirSync(path.dirname(file), { recursive: true })
    expect(await project.run('tar', ['-czf', file, 'package'], { cwd: stage })).toMatchObject({ code: 0 })
  }

  /** A registry that knows of these versions what their contents are. */
  async function registry(known = {}) {
    const requests = []
    const server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`)
      const name = decodeURIComponent(request.url.slice(1).split('?')[0])
      if (!Object.hasOwn(known, name)) return response.writeHead(404).end('{}')
      const { version } = manifest
      const versions = { [version]: { name, version, dist: { integrity: known[name], tarball: 'none' } } }
      response.setHeader('content-type', 'application/json')
      return response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return { url: `http://127.0.0.1:${server.address().port}/`, requests, close: () => server.close() }
  }

  async function publish(directory, { args = ['--tag', tag], known } = {}) {
    const { url, close } = await registry(known)
    try {
      const script = ['scripts/publish.mjs', '--from', 'packages', '--dry-run', ...args]
      const env = { npm_config_registry: url, npm_config_cache: path.join(directory, '.npm') }
      const { code, output } = await project.node(script, { cwd: directory, env })
      return { code, lines: output.trim().split('\n') }
    } finally {
      close()
    }
  }

  const line = (name) =>
    `npm publish ${name}-${manifest.version}.tgz --provenance --access public --ignore-scripts`

  test('takes the platform packages first, and states where they are from', async () => {
    const names = [...platforms.map((platform) => `oauth-rotor-${platform}`), 'oauth-rotor']
    expect(await publish(await checkout())).toEqual({ code: 0, lines: names.map(line) })
  })

  test('leaves alone what is published already, and refuses when that is something else', async () => {
    const directory = await checkout()
    const name = `oauth-rotor-${platforms[0]}`
    const file = path.join(directory, 'packages', platforms[0], `${name}-${manifest.version}.tgz`)
    const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
    const again = await publish(directory, { known: { [name]: integrity } })
    expect(again).toMatchObject({ code: 0, lines: expect.not.arrayContaining([line(name)]) })
    expect(again.lines[0]).toBe(`${name} ${manifest.version} is published already.`)
    const other = await publish(directory, { known: { [name]: 'sha512-b3RoZXI=' } })
    expect(other).toEqual({
      code: 1,
      lines: [expect.stringContaining('published already, with other contents')],
    })
  })

  test.each([
    ['without a repository', { changes: {} }, 'package.json has no repository.url'],
    ['another version', { packed: { 'oauth-rotor-linux-x64-gnu': { version: '9.9.9' } } }, '9.9.9, not'],
    ['another package', { packed: { 'oauth-rotor': { name: 'evil' } } }, 'has evil 0.1.0, not oauth-rotor'],
    [
      'scripts',
      { packed: { 'oauth-rotor': { scripts: { postinstall: 'x' } } } },
      'has scripts, which npm would run',
    ],
    [
      'another repository',
      { packed: { 'oauth-rotor': { repository: { url: 'x' } } } },
      'has another repository',
    ],
  ])('is refused for %s', async (_, made, message) => {
    const { code, lines } = await publish(await checkout(made))
    expect({ code, lines }).toEqual({ code: 1, lines: [expect.stringContaining(message)] })
  })

  test('is refused for a tag of another version, and for a tarball that is missing', async () => {
    const directory = await checkout()
    const tagged = await publish(directory, { args: ['--tag', 'v9.9.9'] })
    expect(tagged).toEqual({
      code: 1,
      lines: [expect.stringContaining('The tag is v9.9.9, and package.json has')],
    })
    const missing = await publish(directory, { args: ['--tag', tag, '--from', 'nowhere'] })
    expect(missing).toEqual({
      code: 1,
      lines: expect.arrayContaining([expect.stringContaining('no tarball of npm')]),
    })
  })

  test('a checkout is not published by mistake', async () => {
    const directory = project.createProject({ 'package.json': JSON.stringify(manifest) })
    const { url, close, requests } = await registry()
    project.write(directory, '.npmrc', `registry=${url}\n${url.replace('http:', '')}:_authToken=none\n`)
    const { code, output } = await project.run('npm', ['publish', '--ignore-scripts'], { cwd: directory })
    close()
    expect(code).toBe(1)
    // It may ask what is there; it must not send.
    expect(requests.filter((request) => !request.startsWith('GET '))).toEqual([])
    expect(output).toContain('EPRIVATE')
  })

  test('every name of ours is told to be reserved before the first release', () => {
    const guide = read('CONTRIBUTING.md')
    const reserved = [...guide.matchAll(/`(oauth-rotor(?:-[a-z0-9]+)+)`/g)].map(([, name]) => name)
    expect(reserved).toEqual(expect.arrayContaining(platforms.map((platform) => `oauth-rotor-${platform}`)))
  })
})

describe('lock files', () => {
  test('say of every package where it is from and what its bytes are', async () => {
    expect(await evaluate('support/locks.mjs', 'it.lockProblems()')).toEqual([])
  })

  test.each([
    ['without integrity', { version: '1.0.0' }, 'node_modules/x has no integrity.'],
    ['with a weak one', { integrity: 'sha1-eA==' }, 'node_modules/x has no integrity.'],
    [
      'from elsewhere',
      { integrity: 'sha512-eA==', resolved: 'https://evil.example/x.tgz' },
      'is from https://evil',
    ],
    [
      'of git',
      { integrity: 'sha512-eA==', resolved: 'git+ssh://git@evil.example/x.git' },
      'is from git+ssh://',
    ],
  ])('a package of npm %s is found', async (_, entry, message) => {
    const lock = JSON.stringify({ packages: { '': { name: 'ours' }, 'node_modules/x': entry } })
    const found = await evaluate('support/locks.mjs', `it.npmProblems('lock', ${JSON.stringify(lock)})`)
    expect(found).toEqual([expect.stringContaining(message)])
  })

  test.each([
    ['source = "registry+https://mirror.example/index"', 'is from registry+https://mirror.example/index'],
    ['source = "git+https://evil.example/x#abc"', 'is from git+https://evil.example'],
    ['', 'x is from undefined.'],
  ])('a crate with %p is found', async (source, message) => {
    const lock = `version = 4\n\n[[package]]\nname = "x"\nversion = "1.0.0"\n${source}\nchecksum = "${'0'.repeat(64)}"\n`
    const found = await evaluate('support/locks.mjs', `it.cargoProblems('lock', ${JSON.stringify(lock)})`)
    expect(found).toEqual([expect.stringContaining(message)])
  })
})

describe('the addon that is published', () => {
  const tellTales = (text) =>
    evaluate('support/build-paths.mjs', `it.tellTales(Buffer.from(${JSON.stringify(text)}))`)
  const home = os.homedir()

  test.each([
    ['the checkout', `${ROOT}/src/lib.rs`],
    ['the home directory', `panicked at ${path.join(home, 'x.rs')}`],
    ['the directory for temporary files', path.join(os.tmpdir(), 'rustcAbc', 'symbols.o')],
    ['a registry', '/anywhere/registry/src/crates.company.example-1949cf8c6b5b557f/ring-0.17.14/src/lib.rs'],
    ['a Rust toolchain', '/opt/.rustup/toolchains/stable/lib/rustlib/src/rust/library/core/src/option.rs'],
    ['cargo', '/opt/.cargo/bin/rustc'],
    ['a user of Linux', '/home/alice/work/src/lib.rs'],
    ['a user of macOS', '/Users/alice/work/src/lib.rs'],
    ['a user of Windows', 'C:\\Users\\alice\\work\\oauth_rotor.pdb'],
    ['root', '/root/.cache/zig/o/crti.o'],
  ])('that tells of %s is found', async (_, text) => {
    expect(await tellTales(`harmless \0${text}\0 harmless`)).not.toEqual([])
  })

  test('names of sources that are the same everywhere are no tell-tale', async () => {
    const names = [
      '/crates/ring-0.17.14/src/lib.rs',
      '/oauth-rotor/src/lib.rs',
      '/rustc/59807616e1fa/library/core/src/str/mod.rs',
    ]
    expect(await tellTales([...names, '/tmp', '/etc/ssl/certs/ca-certificates.crt'].join('\0'))).toEqual([])
  })

  test('is built with names in the place of this machine’s directories', async () => {
    const flags = await evaluate('support/build-paths.mjs', 'it.remap()')
    expect(flags).toContain(`--remap-path-prefix=${ROOT}=/oauth-rotor`)
    // The later one wins: cargo's directory is mostly in the home directory, and has the
    // registry's.
    const at = (name) => flags.findIndex((flag) => flag.endsWith(`=/${name}`))
    expect(at('home')).toBeLessThan(at('cargo'))
    expect(at('cargo')).toBeLessThan(at('crates'))
  })
})

test('crates are judged for the platforms that we publish for', () => {
  const [, targets] = /\ntargets = \[([^\]]*)\]/.exec(read('deny.toml'))
  expect([...targets.matchAll(/"(.*)"/g)].map(([, target]) => target)).toEqual(manifest.napi.targets)
})
