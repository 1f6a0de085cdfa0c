// Keeps how much of each region is resident. Each look takes as many regions as the given time allows, and the next
// look continues there. So a snapshot costs the same with ten regions and with ten thousand.
import type { Memory, OwnedRange, Region } from '@memlayer/core'
import type { ResidentFigures } from './snapshot.js'

/** Bytes of one look. */
const stepBytes = 2 ** 28

interface Span {
  readonly address: number
  readonly size: number
  readonly region: Region | null
}

/** Keeps the last result for each region, and for the whole memory. */
export class ResidencyBook {
  readonly #memory: Memory
  readonly #regions = new WeakMap<Region, ResidentFigures>()
  #spans: readonly Span[] = []
  #next = 0
  #offset = 0
  #span = { resident: 0, huge: 0 }
  #round = { resident: 0, huge: 0 }
  #all: ResidentFigures | null = null

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** The whole memory, from the last full round. Null: the host can't tell, or the first round is not complete. */
  get all(): ResidentFigures | null {
    return this.#all
  }

  /** The last result for a region. */
  of(region: Region): ResidentFigures | null {
    return this.#regions.get(region) ?? null
  }

  /** Continues for `milliseconds`, one round at most. `regions` and `owned` are in order of address. */
  look(regions: readonly Region[], owned: readonly OwnedRange[], milliseconds: number): void {
    const until = performance.now() + milliseconds
    do {
      if (this.#next >= this.#spans.length) this.#begin(regions, owned)
      const span = this.#spans[this.#next]
      if (span === undefined) break
      if (!this.#step(span)) return
      if (this.#next >= this.#spans.length) {
        this.#all = { ...known(this.#round), at: Date.now() }
        return
      }
    } while (performance.now() < until)
  }

  #begin(regions: readonly Region[], owned: readonly OwnedRange[]): void {
    this.#spans = spansOf(regions, owned)
    this.#next = 0
    this.#round = { resident: 0, huge: 0 }
    if (this.#spans.length === 0) this.#all = { resident: 0, huge: 0, at: Date.now() }
  }

  /** Looks at the next part of a span. False: this host can't tell. */
  #step({ address, size, region }: Span): boolean {
    // A region that was freed in the meantime no longer belongs to this memory.
    const isGone = region?.disposed === true
    const length = isGone ? size : Math.min(stepBytes, size - this.#offset)
    const found = isGone ? { resident: 0, huge: 0 } : this.#memory.residency(address + this.#offset, length)
    if (found === null) return false
    this.#span.resident += found.resident
    this.#span.huge += found.huge
    this.#offset += length
    if (this.#offset < size) return true
    if (region !== null) this.#regions.set(region, { ...known(this.#span), at: Date.now() })
    this.#round.resident += this.#span.resident
    this.#round.huge += this.#span.huge
    this.#span = { resident: 0, huge: 0 }
    this.#offset = 0
    this.#next += 1
    return true
  }
}

const known = ({ resident, huge }: { resident: number; huge: number }): { resident: number; huge: number | null } => ({
  resident,
  huge: Number.isNaN(huge) ? null : huge,
})

/** The regions, and the mapped ranges outside them. Adjacent ranges become one span. */
function spansOf(regions: readonly Region[], owned: readonly OwnedRange[]): Span[] {
  const spans: Span[] = regions.map((region) => ({ address: region.address, size: region.size, region }))
  let r = 0
  let last: { address: number; size: number; region: null } | null = null
  for (const { address, size, state } of owned) {
    while (r < regions.length && (regions[r] as Region).address + (regions[r] as Region).size <= address) r += 1
    const isRegions = r < regions.length && (regions[r] as Region).address < address + size
    // Reserved pages have no memory behind them.
    if (isRegions || state === 'Reserved') continue
    if (last !== null && last.address + last.size === address) last.size += size
    else spans.push((last = { address, size, region: null }))
  }
  return spans
}
