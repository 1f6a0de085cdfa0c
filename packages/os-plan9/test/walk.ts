// Random steps through Plan 9's allocator, beside the shadow. Each range must be where the shadow says, must
// overlap no other, and must be zero. It must keep its bytes until it is freed.
import { OutOfMemoryError, type Memory } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { random } from '@memlayer/witness'
import { Shadow } from './shadow.js'

/** The segment's page size is the host's. */
export const page: number = process.platform === 'linux' ? posixKernel().pageSize : 4096

interface Range {
  readonly at: number
  readonly pages: number
  /** The value of every byte in it. */
  readonly stamp: number
}

/** The steps that a walk has done, by kind. */
export type StepCounts = Record<'alloc' | 'reserve' | 'extend' | 'free' | 'split' | 'refused', number>

/** A walk over one memory, whose segment has `bytes` bytes from `start`. */
export class Walk {
  readonly counts: StepCounts = { alloc: 0, reserve: 0, extend: 0, free: 0, split: 0, refused: 0 }
  readonly #memory: Memory
  readonly #start: number
  readonly #bytes: Uint8Array
  readonly #shadow: Shadow
  readonly #below: (n: number) => number
  readonly #out: Range[] = []
  #step = 0

  constructor(memory: Memory, start: number, bytes: Uint8Array, seed: number) {
    this.#memory = memory
    this.#start = start
    this.#bytes = bytes
    this.#shadow = new Shadow(bytes.length / page)
    this.#below = random(seed).below
  }

  /** The bytes that are handed out now. */
  get held(): number {
    return this.#out.reduce((sum, range) => sum + range.pages * page, 0)
  }

  /** Makes `steps` steps. Throws at the first that differs from the shadow. */
  go(steps: number): void {
    for (this.#step = 0; this.#step < steps; this.#step++) {
      // Grows and shrinks in turns, so that the list is long at times and short at times.
      const isGrowing = Math.floor(this.#step / 500) % 2 === 0
      const what = this.#below(10)
      const pages = this.#below(20) === 0 ? 1 + this.#below(256) : 1 + this.#below(16)
      if (what < (isGrowing ? 3 : 6) && this.#out.length > 0) this.#giveBack()
      else if (what < 8) this.#alloc(pages)
      else if (what === 8) this.#reserve(pages)
      else this.#extend(pages)
      if (this.#step % 500 === 0) this.#memory.check()
    }
    this.#memory.check()
  }

  #alloc(pages: number): void {
    this.counts.alloc += 1
    const v = refusable(() => this.#memory.sysAlloc(pages * page, this.#memory.stat('walk')))
    this.#own(v, this.#shadow.alloc(pages), pages)
  }

  #reserve(pages: number): void {
    this.counts.reserve += 1
    const v = refusable(() => this.#memory.sysReserve(null, pages * page))
    this.#own(v, this.#shadow.alloc(pages), pages)
  }

  /** Reserves by address: at the end of memory, or a page beside it, which is refused. */
  #extend(pages: number): void {
    this.counts.extend += 1
    const { end } = this.#shadow
    const at = end + this.#below(2)
    const v = refusable(() => this.#memory.sysReserve(this.#start + at * page, pages * page))
    this.#own(v, at === end ? this.#shadow.extend(pages) : null, pages)
  }

  /** Takes the range that was handed out at `v`, which must be page `at`. Null means refused. */
  #own(v: number | null, at: number | null, pages: number): void {
    if ((v === null ? null : (v - this.#start) / page) !== at) this.#fail(`handed out ${v}, not page ${at}`)
    if (at === null) {
      this.counts.refused += 1
      return
    }
    const clash = this.#out.find((range) => range.at < at + pages && range.at + range.pages > at)
    if (clash !== undefined) this.#fail(`page ${at} overlaps the range at ${clash.at}`)
    const mine = this.#bytes.subarray(at * page, (at + pages) * page)
    const dirty = mine.findIndex((byte) => byte !== 0)
    if (dirty !== -1) this.#fail(`byte ${dirty} of page ${at} is ${mine[dirty]}, not 0`)
    const stamp = 1 + this.#below(255)
    mine.fill(stamp)
    this.#out.push({ at, pages, stamp })
  }

  /** Frees a range, sometimes only its middle or an end of it. */
  #giveBack(): void {
    const [range] = this.#out.splice(this.#below(this.#out.length), 1)
    if (range === undefined) return
    const end = range.at + range.pages
    const mine = this.#bytes.subarray(range.at * page, end * page)
    if (!mine.every((byte) => byte === range.stamp)) this.#fail(`the bytes of the range at ${range.at} have changed`)
    const at = this.#below(4) === 0 ? range.at + this.#below(range.pages) : range.at
    const pages = this.#below(4) === 0 ? 1 + this.#below(end - at) : end - at
    if (pages < range.pages) this.counts.split += 1
    const rest = [
      { ...range, pages: at - range.at },
      { ...range, at: at + pages, pages: end - at - pages },
    ]
    this.#out.push(...rest.filter((one) => one.pages > 0))
    this.#memory.sysFree(this.#start + at * page, pages * page, null)
    this.#shadow.free(at, pages)
    this.counts.free += 1
  }

  #fail(words: string): never {
    throw new Error(`step ${this.#step}: ${words}`)
  }
}

function refusable(call: () => number): number | null {
  try {
    return call()
  } catch (error) {
    if (error instanceof OutOfMemoryError) return null
    throw error
  }
}
