// The engine: what makes foreign calls on this JavaScript runtime. The kernels of this
// package are written against it and do not know which one serves them.
import type { Address } from '@memlayer/kernel'

/**
 * The C types that the kernels need. `int` is 32 bits; `address`, `size` and `offset` are as wide as a
 * pointer and numbers here: addresses and sizes are exact up to 2^53, and what comes back as all
 * ones (MAP_FAILED) is -1.
 */
export type CType = 'int' | 'address' | 'size' | 'offset'

/** A foreign function. */
export type ForeignFunction = (...args: number[]) => number

/** Foreign calls, in one runtime's way. */
export interface Engine {
  /** `'koffi'`, `'node:ffi'`, `'bun:ffi'`, `'deno'`. */
  readonly name: string
  /** A function of `library`; `null`: of the process itself, where libc is. */
  func(library: string | null, name: string, result: CType, params: readonly CType[]): ForeignFunction
  /** The bytes at an address, without a copy. */
  view(addr: Address, length: number): ArrayBuffer
}

/** No engine can make foreign calls here; the message says what to install or which flag to set. */
export class NoEngineError extends Error {
  /** Stable: compare this, not the message. */
  readonly code = 'ERR_MEMLAYER_NO_ENGINE'
  /** What a person can do about it. */
  readonly hint: string

  constructor(reason: string, hint: string, cause?: unknown) {
    super(`no foreign calls on this host: ${reason}. ${hint}`, cause === undefined ? undefined : { cause })
    this.name = 'NoEngineError'
    this.hint = hint
  }
}
