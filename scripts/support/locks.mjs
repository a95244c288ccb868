// Checks what the lock files say of every package: where it is from, and what its bytes are.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './steps.mjs'

const CRATES_IO = 'registry+https://github.com/rust-lang/crates.io-index'

/** Returns what is wrong with our lock files, one sentence for each problem. */
export function lockProblems() {
  const read = (file) => readFileSync(join(root, file), 'utf8')
  return [
    ...['package-lock.json', 'bench/package-lock.json'].flatMap((file) => npmProblems(file, read(file))),
    ...['Cargo.lock', 'fuzz/Cargo.lock'].flatMap((file) => cargoProblems(file, read(file))),
  ]
}

/**
 * npm accepts any bytes for a package without `integrity`, and follows any address in `resolved`.
 */
export function npmProblems(file, text) {
  return Object.entries(JSON.parse(text).packages)
    .filter(([path, { link, inBundle }]) => path.includes('node_modules/') && !link && !inBundle)
    .flatMap(([path, { integrity, resolved }]) => [
      ...(integrity?.startsWith('sha512-') ? [] : [`${file}: ${path} has no integrity.`]),
      ...(!resolved || resolved.startsWith('https://registry.npmjs.org/')
        ? []
        : [`${file}: ${path} is from ${resolved}.`]),
    ])
}

/** Our own crates have no source. */
export function cargoProblems(file, text) {
  return text
    .split('[[package]]\n')
    .slice(1)
    .map((entry) =>
      Object.fromEntries([...entry.matchAll(/^(\w+) = "(.*)"$/gm)].map(([, key, value]) => [key, value])),
    )
    .filter(({ name }) => !name.startsWith('oauth-rotor'))
    .flatMap(({ name, source, checksum }) => [
      ...(source === CRATES_IO ? [] : [`${file}: ${name} is from ${source}.`]),
      ...(/^[0-9a-f]{64}$/.test(checksum) ? [] : [`${file}: ${name} has no checksum.`]),
    ])
}
