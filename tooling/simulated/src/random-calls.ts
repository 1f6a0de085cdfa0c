// Makes random calls for Linux inside an arena, usual calls and wrong calls. A call with an effect stays inside the
// arena. Every kernel refuses a call that reaches out of it.
import { flagText, flagWords } from '@memlayer/kernel'
import { random, type Random } from '@memlayer/witness'
import { partsOf, type Arena } from './arena.js'

/** One call: a function of the port and its arguments, or a write of one word to memory. */
export interface RandomCall {
  readonly fn: 'mmap' | 'munmap' | 'mprotect' | 'madvise' | 'write'
  readonly args: readonly number[]
}

const ANON = 0x20
const FIXED = 0x10
const NO_REPLACE = 0x100000
const NO_RESERVE = 0x4000
const POPULATE = 0x8000
const LOCKED = 0x2000
const STACK = 0x20000
const PRIVATE = 2
const SHARED = 1
const IMPOSSIBLE_BYTES = 2 ** 47

// Every advice of Linux 6.18 with a predictable effect. The last ones are invalid or useless.
// Not in the list: MADV_PAGEOUT and MADV_COLLAPSE (21, 25), whose success depends on the host; poison (100, 101);
// guard pages (102, 103).
const advices = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 5, 7, 26, 99, -1]
const usualAdvices = [4, 4, 4, 8, 8, 14, 14, 15, 15, 22, 23, 23]
const prots = [0, 0, 1, 2, 3, 3, 3, 4, 5, 7]
const wrongProts = [8, 0x10, 0x103, 1024]

/** Returns an endless series of calls in an arena. The seed decides the series. */
export function* randomCalls(seed: number, arena: Arena): Generator<RandomCall, never, void> {
  const source = new Source(random(seed), arena)
  for (;;) yield source.next()
}

class Source {
  readonly #random: Random
  readonly #arena: Arena

  constructor(numbers: Random, arena: Arena) {
    this.#random = numbers
    this.#arena = arena
  }

  next(): RandomCall {
    const { below, pick } = this.#random
    const [v, n] = this.#range()
    const kind = below(20)
    if (kind < 6)
      return {
        fn: 'mmap',
        args: [...this.#mapping(...this.#odd(v, n, IMPOSSIBLE_BYTES)), -1, below(60) === 0 ? 4095 : 0],
      }
    if (kind < 8) return { fn: 'munmap', args: this.#odd(v, n, IMPOSSIBLE_BYTES) }
    if (kind < 14) {
      return {
        fn: 'mprotect',
        args: [...this.#odd(v, n, IMPOSSIBLE_BYTES), pick(below(40) === 0 ? wrongProts : prots)],
      }
    }
    // An advice beyond the arena would affect other mappings of the process, so a range never ends beyond it.
    if (kind < 19)
      return { fn: 'madvise', args: [...this.#odd(v, n, n), pick(below(3) === 0 ? advices : usualAdvices)] }
    return { fn: 'write', args: [v + below(n / this.#arena.pageSize) * this.#arena.pageSize, 1 + below(2 ** 30)] }
  }

  /** Returns a range of whole pages inside one part of the arena. It is often small, sometimes about huge pages. */
  #range(): [v: number, n: number] {
    const { below } = this.#random
    const { pageSize, hugePageSize, pages, hugePages } = this.#arena
    const { small, large } = partsOf(this.#arena)
    if (below(4) > 0) {
      const first = below(pages)
      const count = 1 + below(Math.min(below(3) === 0 ? pages : 6, pages - first))
      return [small[0] + first * pageSize, count * pageSize]
    }
    const edge = (): number => {
      const off = below(3) === 0 ? (below(9) - 4) * pageSize : 0
      return Math.min(Math.max(large[0] + below(hugePages + 1) * hugePageSize + off, large[0]), large[1])
    }
    const [a, b] = [edge(), edge()]
    const start = Math.min(a, b, large[1] - pageSize)
    return [start, Math.max(Math.max(a, b) - start, pageSize)]
  }

  /** Makes one range in twenty wrong: empty, inside a page, of odd length, or of `wrongBytes` bytes. */
  #odd(v: number, n: number, wrongBytes: number): [v: number, n: number] {
    const { below } = this.#random
    switch (below(80)) {
      case 0:
        return [v, 0]
      case 1:
        return [v + 1 + below(this.#arena.pageSize - 1), n]
      case 2:
        return [v, n - below(this.#arena.pageSize)]
      case 3:
        return [v, wrongBytes]
      default:
        return [v, n]
    }
  }

  /** Returns an address, a length, a protection and flags for mmap. */
  #mapping(v: number, n: number): [v: number, n: number, prot: number, flags: number] {
    const { below, pick } = this.#random
    const { pageSize, hugePageSize } = this.#arena
    const prot = pick(below(40) === 0 ? wrongProts : prots)
    const flags = this.#mapFlags()
    switch (below(10)) {
      case 0:
        return [v, n, prot, flags | NO_REPLACE]
      case 1:
      case 2:
        // A hint, at the start of a page or inside it.
        return [v % pageSize === 0 && below(4) === 0 ? v + below(pageSize) : v, n, prot, flags]
      case 3: {
        // No hint, and sizes up to more than any machine has. The test does not touch these pages.
        const size = pick([n, pageSize, hugePageSize, 3 * hugePageSize, 2 ** 40, IMPOSSIBLE_BYTES, 2 ** 60])
        return [0, size, prot, flags & ~POPULATE & ~LOCKED]
      }
      default:
        return [v, n, prot, flags | FIXED]
    }
  }

  #mapFlags(): number {
    const { below, pick } = this.#random
    let flags = ANON | (below(12) === 0 ? SHARED : PRIVATE)
    if (below(6) === 0) flags |= NO_RESERVE
    if (below(12) === 0) flags |= POPULATE
    if (below(30) === 0) flags |= STACK
    if (below(40) === 0) flags |= LOCKED
    if (below(60) === 0) flags = (flags & ~3) | pick([0, 3, 4, 7])
    if (below(80) === 0) flags &= ~ANON
    return flags
  }
}

/** Formats a call for people, with addresses relative to `base`. */
export function callText({ fn, args }: RandomCall, base: number): string {
  const [v = 0, n = 0, third = 0, flags = 0] = args
  const at = v >= base && v < base + 2 ** 40 ? `base + 0x${(v - base).toString(16)}` : `0x${v.toString(16)}`
  const size = `0x${n.toString(16)}`
  if (fn === 'mmap')
    return `mmap(${at}, ${size}, ${third}, ${flagText(flagWords.linux.map, flags)}, ${args.slice(4).join(', ')})`
  if (fn === 'write') return `write(${at}, ${n})`
  return `${fn}(${[at, size, ...args.slice(2)].join(', ')})`
}
