// npm run test:tsan: threads that open, close and end while tokens are published, under
// ThreadSanitizer. It takes a nightly toolchain with rust-src (rustup component add rust-src
// --toolchain nightly): the standard library is built with the sanitizer, too, because without its
// locks every access would look like a race.

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { cargoEnvironment, passedInRust, requireCargo, root, step } from './support/steps.mjs'

/** Tests whose threads share memory. */
const TESTS = ['driver::tests::races', 'driver::tests::a_handle_that_opens_while_the_last_one_closes']

requireCargo()
const { CARGO_BUILD_TARGET: target } = cargoEnvironment()
const sources = spawnSync('rustc', ['+nightly', '--print', 'sysroot'], { encoding: 'utf8' })
if (sources.status !== 0) {
  console.log('There is no nightly toolchain: rustup toolchain install nightly --component rust-src')
  process.exit(1)
}
const directory = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'tsan')
const features = ['--no-default-features', '--features', 'io']
const args = ['+nightly', 'test', '-Zbuild-std', '--target', target, '--target-dir', directory, '--lib']
const output = await step('Racing under ThreadSanitizer', 'cargo', [...args, ...features, '--', ...TESTS], {
  env: {
    RUSTFLAGS: '-Zsanitizer=thread',
    // A race that was found fails the run.
    TSAN_OPTIONS: 'halt_on_error=1',
  },
})
passedInRust(output, 'tsan')
