// SysMemStat: the bytes that one category holds. It answers to sysMemStat in Go's
// runtime/mstats.go; the wrappers add to it, users read it.
import { FatalError } from './errors.js'

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
  }

  /** The bytes that the category holds. */
  load(): number {
    return this.#bytes
  }

  /**
   * Adds `n` bytes, or takes them if `n` is negative. The wrappers call it; code above the layer
   * that calls it by itself makes `memory.check()` fail.
   *
   * @throws FatalError ERR_MEMLAYER_ACCOUNT, "sysMemStat overflow", when the sum would be below
   * zero or above 2^53 - 1. The count is then as before; Go's has already moved.
   */
  add(n: number): void {
    const bytes = this.#bytes + n
    if (!(bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER && Number.isSafeInteger(n))) this.#overflow(n)
    this.#bytes = bytes
  }

  #overflow(n: number): never {
    throw new FatalError(`sysMemStat overflow: ${this.name} holds ${this.#bytes} bytes, adding ${n}`, {
      code: 'ERR_MEMLAYER_ACCOUNT',
      size: n,
      hint: 'A category gives back only what it was given: free each range with the stat that it was mapped with.',
    })
  }
}
