// Which engine serves this host. The manifest's "#engine" names one for each runtime. The kernels of this package
// ask here. Nothing is loaded before the first kernel asks. The engines are a file of their own each, and NoEngineError
// is in it, so that a program loads one file for foreign calls and has one such class.
import { openEngine } from '#engine'
import type { Engine } from './engine.js'

let engine: Engine | undefined

/**
 * The engine for foreign calls.
 *
 * @throws NoEngineError ERR_MEMLAYER_NO_ENGINE with the obstacle.
 */
export function hostEngine(): Engine {
  engine ??= openEngine()
  return engine
}

/**
 * The name of the engine that makes the foreign calls on this host: `'koffi'`, `'node:ffi'`, `'bun:ffi'` or
 * `'deno'`. Loads the engine, as the first kernel would.
 *
 * @throws NoEngineError ERR_MEMLAYER_NO_ENGINE when foreign calls can't be made here.
 */
export function engineName(): string {
  return hostEngine().name
}
