// The engine: what makes foreign calls on this JavaScript runtime. The kernels of this
// package are written against it and do not know which one serves them.
import type { Address, PassedOver } from '@memlayer/kernel'

/**
 * The C types that the kernels need. `int` is 32 bits, `offset` is 64; `address` and `size` are as wide
 * as a pointer. All are numbers here: an address is exact because a page is, a size up to 2^53; what
 * comes back as all ones (MAP_FAILED) is -1.
 */
export type CType = 'int' | 'address' | 'size' | 'offset'

/** A foreign function. */
export type ForeignFunction = (...args: number[]) => number

/** Foreign calls, in one runtime's way. */
export interface Engine {
  /** `'koffi'`, `'node:ffi'`, `'bun:ffi'`, `'deno'`. */
  readonly name: string
  /** What was tried before it; absent: nothing. */
  readonly passedOver?: readonly PassedOver[]
  /** A function of `library`; `null`: of the process itself, where libc is. */
  func(library: string | null, name: string, result: CType, params: readonly CType[]): ForeignFunction
  /** The bytes at an address, without a copy. */
  view(addr: Address, length: number): ArrayBuffer
  /** Copies bytes out of memory, as many as `target` has. */
  read(addr: Address, target: Uint8Array): void
  /** Copies bytes into memory. */
  write(addr: Address, source: Uint8Array): void
}

/** No engine can make foreign calls here; the message says what to install or which flag to set. */
export class NoEngineError extends Error {
  /** Stable: compare this, not the message. */
  readonly code = 'ERR_MEMLAYER_NO_ENGINE'
  /** Why there is none. */
  readonly reason: string
  /** What a person can do about it. */
  readonly hint: string

  constructor(reason: string, hint: string, cause?: unknown) {
    super(`no foreign calls on this host: ${reason}. ${hint}`, cause === undefined ? undefined : { cause })
    this.name = 'NoEngineError'
    this.reason = reason
    this.hint = hint
  }
}
