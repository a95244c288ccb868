// Whether the addon was optimized together with all that it links.

/**
 * Whether cargo, by what it said with `--verbose`, has the addon optimized as a whole. It drops `lto` of the profile
 * without a word where a crate is compiled as a library for Rust as well, which makes the addon a sixth larger.
 */
export function isOptimizedAsAWhole(output) {
  const commands = output.split('\n').filter((line) => line.includes('--crate-name oauth_rotor '))
  return commands.length > 0 && commands.every((line) => /-C lto(?:=fat)?(?:[ `]|$)/.test(line))
}
