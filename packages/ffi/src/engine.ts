// The engine makes foreign calls on this JavaScript runtime. The kernels of this package are written against it and
// do not know which engine serves them.
import type { Address, PassedOver } from '@memlayer/kernel'

/**
 * The C types that the kernels need. `int` has 32 bits, `offset` has 64. `address` and `size` are as wide as a
 * pointer.
 *
 * All are numbers here. An address is exact because it is page-aligned, a size is exact up to 2^53. A result of all
 * ones (MAP_FAILED) comes back as -1.
 */
export type CType = 'int' | 'address' | 'size' | 'offset'

/** A foreign function. */
export type ForeignFunction = (...args: number[]) => number

/** Foreign calls, in the way of one runtime. */
export interface Engine {
  /** `'koffi'`, `'node:ffi'`, `'bun:ffi'`, `'deno'`. */
  readonly name: string
  /** The engines that were tried before it. Absent when there were none. */
  readonly passedOver?: readonly PassedOver[]
  /** Declares a function of `library`. `null` means the process itself, where libc is. */
  func(library: string | null, name: string, result: CType, params: readonly CType[]): ForeignFunction
  /** The bytes at an address, without a copy. */
  view(addr: Address, length: number): ArrayBuffer
  /** The address of the first byte of a buffer, which has one. */
  addressOf(buffer: ArrayBufferLike): Address
  /** Copies bytes out of memory, as many as `target` has. */
  read(addr: Address, target: Uint8Array): void
  /** Copies bytes into memory. */
  write(addr: Address, source: Uint8Array): void
}

/** No engine can make foreign calls here. The message says what to install or which flag to set. */
export class NoEngineError extends Error {
  /** Stable: compare this, not the message. */
  readonly code = 'ERR_MEMLAYER_NO_ENGINE'
  /** Why there is no engine. */
  readonly reason: string
  /** What a person can do about it. */
  readonly hint: string

  constructor(reason: string, hint: string, cause?: unknown) {
    super(
      `foreign calls are not possible on this host: ${reason}. ${hint}`,
      cause === undefined ? undefined : { cause },
    )
    this.name = 'NoEngineError'
    this.reason = reason
    this.hint = hint
  }
}
