// A set of pages from which the lowest comes out first: the spans of a class that have room. Taking the lowest lets
// the others empty. A bitmap with two summaries above it, so that each call looks at a few words only.

/** A set of small whole numbers. */
export class PageSet {
  readonly #pages: Int32Array
  readonly #words: Int32Array
  readonly #tops: Int32Array

  /** A set of numbers below `count`. */
  constructor(count: number) {
    const words = Math.ceil(count / 32)
    const tops = Math.ceil(words / 32)
    this.#pages = new Int32Array(words)
    this.#words = new Int32Array(tops)
    this.#tops = new Int32Array(Math.ceil(tops / 32))
  }

  /** Its own bytes. */
  get bytes(): number {
    return this.#pages.byteLength + this.#words.byteLength + this.#tops.byteLength
  }

  /** Adds a page. A page that is there already stays. */
  add(page: number): void {
    const word = page >>> 5
    this.#pages[word] = (this.#pages[word] as number) | (1 << page)
    this.#words[word >>> 5] = (this.#words[word >>> 5] as number) | (1 << word)
    this.#tops[word >>> 10] = (this.#tops[word >>> 10] as number) | (1 << (word >>> 5))
  }

  /** Takes a page out. */
  delete(page: number): void {
    const word = page >>> 5
    if ((this.#pages[word] = (this.#pages[word] as number) & ~(1 << page)) !== 0) return
    const top = word >>> 5
    if ((this.#words[top] = (this.#words[top] as number) & ~(1 << word)) !== 0) return
    this.#tops[top >>> 5] = (this.#tops[top >>> 5] as number) & ~(1 << top)
  }

  /** The lowest page; -1: the set is empty. */
  lowest(): number {
    const tops = this.#tops
    for (let i = 0; i < tops.length; i++) {
      const bits = tops[i] as number
      if (bits === 0) continue
      const top = (i << 5) + lowestBit(bits)
      const word = (top << 5) + lowestBit(this.#words[top] as number)
      return (word << 5) + lowestBit(this.#pages[word] as number)
    }
    return -1
  }

  /** Takes all out. */
  clear(): void {
    this.#pages.fill(0)
    this.#words.fill(0)
    this.#tops.fill(0)
  }
}

/** The number of the lowest bit that is set in `bits`, which is not 0. */
export function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}
