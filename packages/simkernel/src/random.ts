// Chance, from a seed. A real kernel decides some things itself, such as where a mapping goes and when forfeit
// pages go. Here the seed decides them, so that the same seed gives the same run.

/** A stream of numbers that a seed determines (sfc32). */
export class Random {
  #a: number
  #b: number
  #c: number
  #count = 1

  constructor(seed: number) {
    // All 53 bits count. The first numbers of close seeds are alike, so a few are thrown away.
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    this.#c = 0x9e3779b9 | 0
    for (let i = 0; i < 15; i++) this.below(2)
  }

  /** A whole number from 0 to `n` - 1. `n` is at most 2^32. */
  below(n: number): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return Math.floor(((sum >>> 0) / 2 ** 32) * n)
  }

  /** True with a chance from 0 to 1. */
  chance(part: number): boolean {
    return this.below(2 ** 32) < part * 2 ** 32
  }
}
