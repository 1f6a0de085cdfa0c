// A set of pages from which the lowest comes out first: the spans of a class that have room. Taking the lowest lets
// the others empty. A bitmap with two summaries above it, so that each call looks at a few words only.

/** Words that a set begins with: for 1024 pages, which are 8 MiB. */
const firstWords = 32

/** A set of small whole numbers. It becomes as long as the largest of them needs. */
export class PageSet {
  #pages = new Int32Array(firstWords)
  #words = new Int32Array(firstWords / 32)
  #tops = new Int32Array(1)

  /** Its own bytes. */
  get bytes(): number {
    return this.#pages.byteLength + this.#words.byteLength + this.#tops.byteLength
  }

  /** Adds a page. A page that is there already stays. */
  add(page: number): void {
    const word = page >>> 5
    if (word >= this.#pages.length) this.#lengthen(word)
    this.#pages[word] = (this.#pages[word] as number) | (1 << page)
    this.#words[word >>> 5] = (this.#words[word >>> 5] as number) | (1 << word)
    this.#tops[word >>> 10] = (this.#tops[word >>> 10] as number) | (1 << (word >>> 5))
  }

  /** Takes a page out. */
  delete(page: number): void {
    const word = page >>> 5
    if (word >= this.#pages.length) return
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

  #lengthen(word: number): void {
    const words = 2 ** (32 - Math.clz32(word))
    this.#pages = longer(this.#pages, words)
    this.#words = longer(this.#words, words / 32)
    this.#tops = longer(this.#tops, Math.ceil(words / 1024))
  }
}

function longer(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const made = new Int32Array(length)
  made.set(array)
  return made
}

/** The number of the lowest bit that is set in `bits`, which is not 0. */
export function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}
