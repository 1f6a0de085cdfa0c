// Random calls on Linux, all inside an arena, usual ones and wrong ones. What has an effect
// ends inside it; what reaches out is refused by every kernel.
import { flagText, flagWords } from '@memlayer/kernel'
import { random, type Random } from '@memlayer/witness'
import { partsOf, type Arena } from './arena.js'

/** One call: the port's function and its arguments, or a word that is written to memory. */
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
const HUGE_SIZE = 2 ** 47

// Every advice that Linux 6.18 knows and that can be foretold; the last are of no use to anyone.
// Not here: MADV_PAGEOUT and MADV_COLLAPSE (21, 25), whose success is the host's to decide; poison (100, 101); guard pages (102, 103).
const advices = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 5, 7, 26, 99, -1]
const usualAdvices = [4, 4, 4, 8, 8, 14, 14, 15, 15, 22, 23, 23]
const prots = [0, 0, 1, 2, 3, 3, 3, 4, 5, 7]
const wrongProts = [8, 0x10, 0x103, 1024]

/** An endless run of calls in an arena; the same seed gives the same run. */
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
      return { fn: 'mmap', args: [...this.#mapping(...this.#odd(v, n, HUGE_SIZE)), -1, below(60) === 0 ? 4095 : 0] }
    if (kind < 8) return { fn: 'munmap', args: this.#odd(v, n, HUGE_SIZE) }
    if (kind < 14) {
      return { fn: 'mprotect', args: [...this.#odd(v, n, HUGE_SIZE), pick(below(40) === 0 ? wrongProts : prots)] }
    }
    // An advice would reach whatever is mapped above the arena: none is given beyond it.
    if (kind < 19)
      return { fn: 'madvise', args: [...this.#odd(v, n, n), pick(below(3) === 0 ? advices : usualAdvices)] }
    return { fn: 'write', args: [v + below(n / this.#arena.pageSize) * this.#arena.pageSize, 1 + below(2 ** 30)] }
  }

  /** A range of whole pages inside one part of the arena: often a few, sometimes huge ones or nearly so. */
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

  /** One range in twenty is not as it should be: empty, inside a page, of odd length, or of `most` bytes. */
  #odd(v: number, n: number, most: number): [v: number, n: number] {
    const { below } = this.#random
    switch (below(80)) {
      case 0:
        return [v, 0]
      case 1:
        return [v + 1 + below(this.#arena.pageSize - 1), n]
      case 2:
        return [v, n - below(this.#arena.pageSize)]
      case 3:
        return [v, most]
      default:
        return [v, n]
    }
  }

  /** An address, a length, rights and flags for mmap. */
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
        // A hint, at a page or inside it.
        return [v % pageSize === 0 && below(4) === 0 ? v + below(pageSize) : v, n, prot, flags]
      case 3: {
        // No hint at all, and sizes up to what no machine has. Nothing is touched in them.
        const size = pick([n, pageSize, hugePageSize, 3 * hugePageSize, 2 ** 40, HUGE_SIZE, 2 ** 60])
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

/** A call as a person reads it, with addresses from `base`. */
export function callText({ fn, args }: RandomCall, base: number): string {
  const [v = 0, n = 0, third = 0, flags = 0] = args
  const at = v >= base && v < base + 2 ** 40 ? `base + 0x${(v - base).toString(16)}` : `0x${v.toString(16)}`
  const size = `0x${n.toString(16)}`
  if (fn === 'mmap')
    return `mmap(${at}, ${size}, ${third}, ${flagText(flagWords.linux.map, flags)}, ${args.slice(4).join(', ')})`
  if (fn === 'write') return `write(${at}, ${n})`
  return `${fn}(${[at, size, ...args.slice(2)].join(', ')})`
}
