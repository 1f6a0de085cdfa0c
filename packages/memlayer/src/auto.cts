// "#os" on Node, Bun and Deno: loads an installed backend on request. This is the only CommonJS file, because a
// package may be missing. Only a require() of a literal name in a try block loads it at once and only when needed, in
// a way that every bundler follows.
import type { Backend, Loaded, Source } from './backend.js' with { 'resolution-mode': 'import' }

declare const require: (name: string) => Backend
declare const exports: { source: Source }

exports.source = {
  kind: 'auto',
  only: null,
  load(name: string): Loaded {
    try {
      switch (name) {
        case '@memlayer/os-aix':
          return { backend: require('@memlayer/os-aix') }
        case '@memlayer/os-bsd':
          return { backend: require('@memlayer/os-bsd') }
        case '@memlayer/os-darwin':
          return { backend: require('@memlayer/os-darwin') }
        case '@memlayer/os-linux':
          return { backend: require('@memlayer/os-linux') }
        case '@memlayer/os-plan9':
          return { backend: require('@memlayer/os-plan9') }
        case '@memlayer/os-windows':
          return { backend: require('@memlayer/os-windows') }
        default:
          return { backend: require('@memlayer/os-js') }
      }
    } catch (error) {
      return { error }
    }
  },
}
