// What a browser runs. It is bundled, so it must not use a Node API.
import { createOS } from '@memlayer/os-js'
import { heapHistory, type Summary } from './history.ts'

/** A history on a WebAssembly memory. */
export const inWebAssembly = (operations: number, seed: number): Summary => heapHistory(createOS(), operations, seed)
