// The installed backends, loaded on request. This is the only CommonJS file, because a package may be missing. Only a
// require() of a literal name in a try block loads it at once and only when needed, in a way that every bundler
// follows. auto.ts imports it.

declare const require: {
  (name: string): import('./backend.js', { with: { 'resolution-mode': 'import' } }).Backend
  readonly cache?: unknown
}
declare const exports: {
  isWhole?: boolean
  load?(name: string): import('./backend.js', { with: { 'resolution-mode': 'import' } }).Loaded
}

// A development server that takes every file for an ES module has no `exports`: Vite's, with `ssr.noExternal`.
if (typeof exports === 'object') {
  try {
    // A loader that hands Node the text of this file gets a lesser require(), which on Node 22 breaks ES modules.
    exports.isWhole = typeof require.cache === 'object'
  } catch {
    // rollup's commonjs plugin takes in the backends, and leaves no require() to an ES module.
  }
  exports.load = (name) => {
    try {
      switch (name) {
        case '@memlayer/os-aix':
          return { backend: require('@memlayer/os-aix') }
        case '@memlayer/os-bsd':
          return { backend: require('@memlayer/os-bsd') }
        case '@memlayer/os-darwin':
          return { backend: require('@memlayer/os-darwin') }
        case '@memlayer/os-engine':
          return { backend: require('@memlayer/os-engine') }
        case '@memlayer/os-linux':
          return { backend: require('@memlayer/os-linux') }
        case '@memlayer/os-plan9':
          return { backend: require('@memlayer/os-plan9') }
        default:
          return { backend: require('@memlayer/os-windows') }
      }
    } catch (error) {
      return { error }
    }
  }
}
