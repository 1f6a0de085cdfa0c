// Which engine serves this host: the manifest's "#engine" has one for each runtime. The kernels of
// this package ask here; nothing is loaded before the first of them does.
import { openEngine } from '#engine'
import type { Engine } from './engine.js'

let engine: Engine | undefined

/** The engine for foreign calls. @throws NoEngineError ERR_MEMLAYER_NO_ENGINE with what stands in the way. */
export function hostEngine(): Engine {
  engine ??= openEngine()
  return engine
}

/**
 * What makes the foreign calls on this host: `'koffi'`, `'node:ffi'`, `'bun:ffi'` or `'deno'`. Loads it, as the
 * first kernel would.
 *
 * @throws NoEngineError ERR_MEMLAYER_NO_ENGINE when foreign calls can't be made here.
 */
export function engineName(): string {
  return hostEngine().name
}
