// The bitmaps of spans: runs of words in one array, apart from the objects. A run that was given back serves the next
// span that needs as many words.

/** The most words that a run has: of a span of 1024 objects. One stands in front of the bitmap. */
const runMax = 33
const firstWords = 1024

/** An array of words, from which runs are taken. */
export class WordPool {
  /** The words. Word 0 is always 0. Another array replaces it when it grows. */
  words: Int32Array = new Int32Array(firstWords)
  /** Where the first free run of each length begins; 0: there is none. Each begins with where the next one does. */
  readonly #free = new Int32Array(runMax + 1)
  #end = 1

  /** Its own bytes. */
  get bytes(): number {
    return this.words.byteLength
  }

  /** Takes a run of `n` words. What they hold is not known. */
  take(n: number): number {
    const at = this.#free[n] as number
    if (at !== 0) {
      this.#free[n] = this.words[at] as number
      return at
    }
    if (this.#end + n > this.words.length) this.#grow()
    const from = this.#end
    this.#end += n
    return from
  }

  /** Gives a run of `n` words back. */
  give(at: number, n: number): void {
    this.words[at] = this.#free[n] as number
    this.#free[n] = at
  }

  /** By an eighth, because what it has and does not need counts as metadata. */
  #grow(): void {
    const larger = new Int32Array(this.words.length + Math.max(firstWords, this.words.length >> 3))
    larger.set(this.words)
    this.words = larger
  }
}
