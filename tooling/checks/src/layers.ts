// The layers as data: which package may import which. imports.ts and manifest.ts enforce them. Imports go down
// from the user's package to the kernel, never up.

/**
 * The packages that a package's source may import, by short name. `os-*` is every backend without its own row.
 * A package without a row may import every published package.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  core: ['kernel'],
  ffi: ['kernel'],
  'os-*': ['core', 'ffi', 'kernel'],
  // os-js has its own port over WebAssembly.Memory, so that a browser does not load ffi.
  'os-js': ['core', 'kernel'],
  simkernel: ['kernel'],
  conformance: ['core', 'kernel'],
  memlayer: ['core', 'os-*'],
}

/** The packages that tests may import in addition. They may also import the workspace's own tooling. */
export const layersOfTests: readonly string[] = ['simkernel', 'conformance']

/**
 * Packages that a browser loads without changes. The files that their root entry reaches by relative imports may not
 * import a runtime's own modules.
 */
export const browserPackages: readonly string[] = [
  'kernel',
  'core',
  'os-js',
  'simkernel',
  'conformance',
  'memlayer',
  'cache',
]

/** Packages without third-party dependencies. */
export const barePackages: readonly string[] = ['kernel', 'core', 'os-*']

/** Returns a package's short name: `os-linux` for `@memlayer/os-linux`, `memlayer` for `memlayer`. */
export function shortName(name: string): string {
  return name.startsWith('@memlayer/') ? name.slice('@memlayer/'.length) : name
}

/** Whether a package is in the list. `os-*` in the list is every backend. */
export function isOneOf(name: string, list: readonly string[]): boolean {
  const short = shortName(name)
  return list.includes(short) || (short.startsWith('os-') && list.includes('os-*'))
}

/** Returns the row of a package, or null without a row. */
export function layerOf(name: string): readonly string[] | null {
  const short = shortName(name)
  return layers[short] ?? (short.startsWith('os-') ? (layers['os-*'] ?? null) : null)
}
