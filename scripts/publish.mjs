// node scripts/publish.mjs --from DIRECTORY --tag v1.2.3: publishes what the workflow `platforms`
// has built, with provenance.
//
// Only .github/workflows/release.yml runs it: npm trusts that workflow alone. It may be run again
// after a failure. It installs nothing and needs Node.js, npm and tar.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './support/steps.mjs'

/** The platform whose main tarball is published. Those of all platforms have the same files. */
const MAIN_FROM = 'linux-x64-gnu'

/** On Windows, npm is a script, which needs the shell. */
const shell = process.platform === 'win32'

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    tag: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
  },
})
if (!values.from || !values.tag) fail('Say which tarballs and which tag: --from DIRECTORY --tag v1.2.3.')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
if (!manifest.repository?.url) {
  fail(
    'package.json has no repository.url. npm compares it with the repository that builds, and publishes no provenance ' +
      'without it: set it, and run npm run platforms.',
  )
}
if (values.tag !== `v${manifest.version}`) {
  fail(`The tag is ${values.tag}, and package.json has version ${manifest.version}: they have to agree.`)
}
const tarballs = inOrder(values.from)
for (const tarball of tarballs) check(tarball)
for (const tarball of tarballs) publish(tarball)

/** Puts the platform packages first, so that an installation of the main one finds them. */
function inOrder(directory) {
  const platforms = readdirSync(join(root, 'npm')).sort()
  const wanted = [
    ...platforms.map((platform) => [platform, `${manifest.name}-${platform}`]),
    [MAIN_FROM, manifest.name],
  ]
  return wanted.map(([place, name]) => ({
    name,
    file: join(directory, place, `${name}-${manifest.version}.tgz`),
  }))
}

/** Checks that a tarball is what this commit says. */
function check({ name, file }) {
  const { status, stdout, stderr } = spawnSync('tar', ['-xOzf', file, 'package/package.json'], {
    encoding: 'utf8',
  })
  if (status !== 0) fail(`${file} is no tarball of npm's: ${stderr.trim()}`)
  const packed = JSON.parse(stdout)
  if (packed.name !== name || packed.version !== manifest.version) {
    fail(`${file} has ${packed.name} ${packed.version}, not ${name} ${manifest.version}.`)
  }
  if (packed.scripts) fail(`${file} has scripts, which npm would run for whoever installs it.`)
  if (packed.repository?.url !== manifest.repository.url) {
    fail(`${file} has another repository than package.json: ${packed.repository?.url}`)
  }
}

function publish({ name, file }) {
  const published = integrity(name)
  const ours = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
  if (published === ours) {
    console.log(`${name} ${manifest.version} is published already.`)
    return
  }
  if (published) fail(`${name} ${manifest.version} is published already, with other contents than ${file}.`)
  const args = ['publish', file, '--provenance', '--access', 'public', '--ignore-scripts']
  if (values['dry-run']) {
    console.log(`npm ${args.join(' ').replace(file, basename(file))}`)
    return
  }
  const { status } = spawnSync('npm', args, { stdio: 'inherit', shell })
  if (status !== 0) fail(`npm published neither ${name} nor what follows it. Run this again.`)
}

/** The integrity of this version on npm, or an empty text if it is not published. */
function integrity(name) {
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${manifest.version}`, 'dist.integrity'], {
    encoding: 'utf8',
    shell,
  })
  return status === 0 ? stdout.trim() : ''
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
