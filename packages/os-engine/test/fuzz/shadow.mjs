// What has to be in each page of a region: words of shared memory that every thread has which holds the region. Its
// owner writes them, and a worker does for pages that were shared with it. thread.mjs and owned.mjs use it.

/** States of a page. */
export const NONE = 0
export const RESERVED = 1
export const PREPARED = 2
export const READY = 3

export const WORDS_A_PAGE = 1024
const HEAD = 4
// Of the region: its number, the next generation, and whether its owner is amid an operation.
const SERIAL = 0
const GENERATION = 1
const BUSY = 2
// Of a page: what its words have to be, its state, the round of its last touch, and the round it was given back in.
const WORD = 0
const STATE = 1
const TOUCHED = 2
const GIVEN = 3
const EACH = 4
const generations = 2048
const hugePages = 512

/** The shadow of one region. Its words can be posted. */
export class Shadow {
  constructor(words) {
    this.words = words
    this.pages = (words.length - HEAD) / EACH
  }

  static of(serial, pages, state) {
    const shadow = new Shadow(new Int32Array(new SharedArrayBuffer((HEAD + pages * EACH) * 4)))
    shadow.words[SERIAL] = serial
    for (let page = 0; page < pages; page++) shadow.set(page, STATE, state)
    return shadow
  }

  get serial() {
    return this.words[SERIAL]
  }

  get isBusy() {
    return Atomics.load(this.words, BUSY) !== 0
  }

  /** Runs an operation of the owner. One that is ended in its middle leaves the mark. */
  change(run) {
    Atomics.store(this.words, BUSY, 1)
    run()
    Atomics.store(this.words, BUSY, 0)
  }

  /** A word that no other page has, nor had this one. */
  newWord() {
    const generation = (Atomics.add(this.words, GENERATION, 1) % (generations - 1)) + 1
    return this.serial * generations + generation
  }

  /** Whether a word was written for this region at any time, or is zero. */
  isOwn(word) {
    return word === 0 || (word > 0 && Math.floor(word / generations) === this.serial)
  }

  word(page) {
    return Atomics.load(this.words, HEAD + page * EACH + WORD)
  }

  state(page) {
    return Atomics.load(this.words, HEAD + page * EACH + STATE)
  }

  set(page, field, value) {
    Atomics.store(this.words, HEAD + page * EACH + field, value)
  }

  /** Pages have another state. Those that leave Ready have no word, and were given back in this round. */
  move(from, count, state, round) {
    for (let page = from; page < from + count; page++) {
      const isGiven = state !== READY && this.state(page) === READY
      this.set(page, STATE, state)
      if (isGiven) this.clear(page, 1, round)
    }
  }

  /** Pages read zero, and have no memory. */
  clear(from, count, round) {
    for (let page = from; page < from + count; page++) {
      this.set(page, WORD, 0)
      this.set(page, GIVEN, round)
    }
  }

  write(page, word, round) {
    this.set(page, WORD, word)
    this.touch(page, round)
  }

  /** Before a page is read: then it may have memory. The kernel may give a huge page at once. */
  touch(page, round) {
    if (this.pages < hugePages) this.#touch(page, round)
    else for (let other = 0; other < this.pages; other++) this.#touch(other, round)
  }

  /** The latest of all threads counts. */
  #touch(page, round) {
    const at = HEAD + page * EACH + TOUCHED
    for (;;) {
      const found = Atomics.load(this.words, at)
      if (found >= round || Atomics.compareExchange(this.words, at, found, round) === found) return
    }
  }

  /** Whether a page can have no memory. `isFresh`: one that was never touched has none. */
  isEmpty(page, isFresh) {
    const [touched, given] = [TOUCHED, GIVEN].map((field) => Atomics.load(this.words, HEAD + page * EACH + field))
    return this.state(page) !== READY && (given > touched || (isFresh && given === 0 && touched === 0))
  }

  /** When a page was last touched and given back, for messages. */
  times(page) {
    const [touched, given] = [TOUCHED, GIVEN].map((field) => this.words[HEAD + page * EACH + field])
    return `touched at ${touched}, given back at ${given}, in the order of operations`
  }

  /** What page a region has to hold now, when no thread is amid an operation. */
  expected(page) {
    return this.state(page) === READY ? this.word(page) : 0
  }
}
