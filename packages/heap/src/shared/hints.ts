// Hints: which spans of a thread have room since another thread freed an object there. One bitmap for each slot, with
// a bit for each page, and a summary that has a bit for each of its words. Any thread sets bits, and the owner takes
// them all at once. No thread waits for another.
//
// The truth is in the bitmaps of the spans. A hint that was lost with a thread costs room until its span is looked at
// for another reason. A hint that is wrong costs a look.
import { lowestBit } from '../page-set.js'
import type { Layout } from './layout.js'

/** The hints of a heap. */
export class Hints {
  readonly #words: Int32Array
  readonly #layout: Layout

  constructor(words: Int32Array, layout: Layout) {
    this.#words = words
    this.#layout = layout
  }

  /** The span at `page`, which `slot` owns, may have room. */
  tell(slot: number, page: number): void {
    const words = this.#words
    const { hintsAt, hintWords, summaryWords } = this.#layout
    const summary = hintsAt + slot * hintWords
    const at = summary + summaryWords + (page >>> 5)
    // The loads are atomic: they may not come before the free of the object.
    if ((Atomics.load(words, at) & (1 << page)) === 0) Atomics.or(words, at, 1 << page)
    const bit = 1 << (page >>> 5)
    const top = summary + (page >>> 10)
    // The summary is looked at in any case, because a thread may have ended between the two.
    if ((Atomics.load(words, top) & bit) === 0) Atomics.or(words, top, bit)
  }

  /** Takes all hints of a slot, and calls `visit` with each page. */
  takeAll(slot: number, visit: (page: number) => void): void {
    const { hintsAt, hintWords, summaryWords } = this.#layout
    const summary = hintsAt + slot * hintWords
    for (let i = 0; i < summaryWords; i++) {
      if (this.#words[summary + i] === 0) continue
      for (let tops = Atomics.exchange(this.#words, summary + i, 0); tops !== 0; tops &= tops - 1) {
        const word = (i << 5) + lowestBit(tops)
        for (let bits = Atomics.exchange(this.#words, summary + summaryWords + word, 0); bits !== 0; bits &= bits - 1)
          visit((word << 5) + lowestBit(bits))
      }
    }
  }

  /**
   * Calls `visit` with each page of a slot's hints, lowest first, until that returns true. The hints stay. They are for
   * all threads: those of the orphans.
   */
  some(slot: number, visit: (page: number) => boolean): boolean {
    const { hintsAt, hintWords, summaryWords } = this.#layout
    const summary = hintsAt + slot * hintWords
    for (let i = 0; i < summaryWords; i++) {
      for (let tops = Atomics.load(this.#words, summary + i); tops !== 0; tops &= tops - 1) {
        const word = (i << 5) + lowestBit(tops)
        const at = summary + summaryWords + word
        for (let bits = Atomics.load(this.#words, at); bits !== 0; bits &= bits - 1)
          if (visit((word << 5) + lowestBit(bits))) return true
      }
    }
    return false
  }

  /** Takes a hint back. */
  forget(slot: number, page: number): void {
    const { hintsAt, hintWords, summaryWords } = this.#layout
    const at = hintsAt + slot * hintWords + summaryWords + (page >>> 5)
    void Atomics.and(this.#words, at, ~(1 << page))
  }
}
