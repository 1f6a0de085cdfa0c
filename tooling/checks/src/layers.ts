// The layers, as data: who may import whom. imports.ts and manifest.ts enforce it. Arrows run from the
// user down to the kernel and never turn back.

/**
 * What the source of a package may import, by the package's short name; `os-*` stands for every
 * backend without a row of its own. A package without a row may import any that is published.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  core: ['kernel'],
  ffi: ['kernel'],
  'os-*': ['core', 'ffi', 'kernel'],
  // It brings its own port over WebAssembly.Memory, so that a browser loads nothing else.
  'os-js': ['core', 'kernel'],
  simkernel: ['kernel'],
  conformance: ['core', 'kernel'],
  memlayer: ['core', 'os-*'],
}

/** What tests may import beside that, apart from the workspace's own tooling. */
export const layersOfTests: readonly string[] = ['simkernel', 'conformance']

/** Packages that a browser loads as they stand: what their root entry reaches by relative imports is no runtime's own. */
export const browserPackages: readonly string[] = ['kernel', 'core', 'os-js', 'simkernel', 'conformance', 'memlayer']

/** Packages with no third-party dependency. */
export const barePackages: readonly string[] = ['kernel', 'core', 'os-*']

/** `@memlayer/os-linux` is `os-linux`; `memlayer` is itself. */
export function shortName(name: string): string {
  return name.startsWith('@memlayer/') ? name.slice('@memlayer/'.length) : name
}

/** Whether a package is one of those listed; `os-*` in the list is every backend. */
export function isOneOf(name: string, list: readonly string[]): boolean {
  const short = shortName(name)
  return list.includes(short) || (short.startsWith('os-') && list.includes('os-*'))
}

/** The row of a package; null: it has none. */
export function layerOf(name: string): readonly string[] | null {
  const short = shortName(name)
  return layers[short] ?? (short.startsWith('os-') ? (layers['os-*'] ?? null) : null)
}
