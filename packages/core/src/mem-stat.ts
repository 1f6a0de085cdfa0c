// SysMemStat: the bytes that one category holds. It answers to sysMemStat in Go's
// runtime/mstats.go; the wrappers add to it, users read it.
import { show } from './check.js'
import { FatalError, UsageError } from './errors.js'
import type { Operation } from './observer.js'

/** The bytes held by one category. Take one from `memory.stat(name)`. */
export class SysMemStat {
  /** The category. */
  readonly name: string
  /** The place of the category in its memory's account. */
  readonly index: number
  #bytes = 0

  constructor(name: string, index: number) {
    this.name = name
    this.index = index
    // The count is private; the rest must stay what the account was made with.
    Object.freeze(this)
  }

  /** `instanceof` tells one from a forgery, and runs nothing of the value's own: no getter, no proxy. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && #bytes in value
  }

  /** The bytes that the category holds. */
  load(): number {
    return this.#bytes
  }

  /**
   * Adds `n` bytes, or takes them if `n` is negative. The wrappers call it; code above the layer
   * that calls it by itself makes `memory.check()` fail. `op` is for the error's text.
   *
   * @throws FatalError ERR_MEMLAYER_ACCOUNT, "sysMemStat overflow", when the sum would be below
   * zero or above 2^53 - 1. The count is then as before; Go's has already moved.
   * @throws UsageError ERR_MEMLAYER_SIZE when `n` is not a whole number.
   */
  add(n: number, op?: Operation): void {
    if (!Number.isInteger(n)) this.#wrong(n)
    const bytes = this.#bytes + n
    if (!(bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER)) this.#overflow(n, op)
    this.#bytes = bytes
  }

  #overflow(n: number, op: Operation | undefined): never {
    throw new FatalError(`sysMemStat overflow: ${this.name} holds ${this.#bytes} bytes, adding ${n}`, {
      code: 'ERR_MEMLAYER_ACCOUNT',
      ...(op === undefined ? {} : { op }),
      size: n,
      hint: 'A category gives back only what it was given: free each range with the stat that it was mapped with.',
    })
  }

  #wrong(n: unknown): never {
    throw new UsageError('ERR_MEMLAYER_SIZE', `add: the bytes for '${this.name}' are ${show(n)}`, {
      hint: 'Pass a whole number.',
    })
  }
}
