// The engine on Node, and in a bundle that was made for no single runtime. It is koffi where koffi has a build and
// may be loaded, else node:ffi. Bun and Deno have engines of their own and come here only through such a bundle.
import { bunEngine } from './bun-ffi.js'
import { denoEngine } from './deno-ffi.js'
import { NoEngineError, type Engine } from './engine.js'
import { koffiEngine } from './koffi.js'
import { nodeFfiEngine } from './node-ffi.js'

// For file tracers, which follow imports and exports. A bundler would resolve each name there or warn of it, so for
// bundlers, which have the condition `module`, the list is empty.
export { koffiFiles } from '#koffi-files'

export { NoEngineError }

/**
 * Opens foreign calls on this host.
 *
 * @throws NoEngineError with the obstacle of each engine.
 */
export function openEngine(): Engine {
  // The runtimes are told apart by what they have. A version does not help, because both claim to be some Node.
  const { Bun: bun, Deno: deno } = globalThis as { Bun?: unknown; Deno?: unknown }
  if (bun !== undefined) return bunEngine()
  if (deno !== undefined) return denoEngine()
  expectNoSnapshot()
  try {
    return koffiEngine()
  } catch (koffi) {
    try {
      return {
        ...nodeFfiEngine(),
        passedOver: koffi instanceof NoEngineError ? [{ name: 'koffi', reason: koffi.reason, hint: koffi.hint }] : [],
      }
    } catch (nodeFfi) {
      throw neither(koffi, nodeFfi)
    }
  }
}

/** Node can write no foreign function into a startup snapshot: V8 ends the process for one. */
function expectNoSnapshot(): void {
  if (!process.getBuiltinModule('node:v8').startupSnapshot.isBuildingSnapshot()) return
  throw new NoEngineError(
    'Node builds a startup snapshot, which can hold no foreign function',
    'Make the memory in the function that is given to v8.startupSnapshot.setDeserializeMainFunction().',
  )
}

function neither(koffi: unknown, nodeFfi: unknown): unknown {
  if (!(koffi instanceof NoEngineError && nodeFfi instanceof NoEngineError)) return koffi
  const hints = [koffi.hint, nodeFfi.hint].filter((hint) => hint !== '')
  return new NoEngineError(`${koffi.reason}; ${nodeFfi.reason}`, hints.join(' Or: '), koffi.cause ?? nodeFfi.cause)
}
