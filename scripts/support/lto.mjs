// Tells whether the addon was optimized together with everything that it links.

/**
 * Whether cargo has optimized the addon as a whole, by its output with `--verbose`. Cargo silently
 * drops `lto` of the profile if a crate is also compiled as a library for Rust, which makes the
 * addon a sixth larger.
 */
export function isOptimizedAsAWhole(output) {
  const commands = output.split('\n').filter((line) => line.includes('--crate-name oauth_rotor '))
  return commands.length > 0 && commands.every((line) => /-C lto(?:=fat)?(?:[ `]|$)/.test(line))
}
