// Resident bytes of a memory by category. The kernel looks at each page, so a large memory takes several reads: each
// looks for a few milliseconds, and then waits. The figures are those of the last look that is complete, with its
// time.
import type { Memory, OwnedRange } from '@memlayer/core'

/** Milliseconds of one look, and how many times longer than that it waits. */
const [lookMilliseconds, pauseRatio] = [20, 1000]
/** Bytes of one step. */
const stepBytes = 2 ** 28

/** What a look has found. */
export interface ResidentBytes {
  /** Bytes by category; null: no category. */
  readonly bytes: ReadonlyMap<string | null, number>
  /** When the look began, by `performance.now()`. */
  readonly at: number
}

class Looks {
  readonly #memory: Memory
  #last: ResidentBytes | null = null
  #bytes = new Map<string | null, number>()
  #at = 0
  /** The address up to which the look has come; 0: at the start. */
  #next = 0
  #until = -Infinity

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** The last look that is complete. Goes on with the next one, if it is time. */
  read(): ResidentBytes | null {
    const start = performance.now()
    if (start < this.#until) return this.#last
    if (this.#next === 0) {
      this.#bytes = new Map()
      this.#at = start
    }
    const isComplete = this.#look(start + lookMilliseconds)
    const end = performance.now()
    // A look that is not complete goes on at the next read, whenever that is.
    this.#until = isComplete ? end + pauseRatio * (end - start) : end
    if (!isComplete) return this.#last
    this.#next = 0
    return (this.#last = { bytes: this.#bytes, at: this.#at })
  }

  /** False: the time is over. */
  #look(until: number): boolean {
    for (const { address, size, category } of mappedOf(this.#memory.ranges())) {
      for (let at = Math.max(address, this.#next); at < address + size; at = this.#next) {
        const length = Math.min(stepBytes, address + size - at)
        const found = this.#memory.residency(at, length)
        if (found !== null) this.#bytes.set(category, (this.#bytes.get(category) ?? 0) + found.resident)
        this.#next = at + length
        if (performance.now() >= until) return false
      }
    }
    return true
  }
}

/** The mapped ranges. Neighbours of one category are one. */
function mappedOf(ranges: readonly OwnedRange[]): Pick<OwnedRange, 'address' | 'size' | 'category'>[] {
  const mapped: { address: number; size: number; category: string | null }[] = []
  for (const { address, size, state, category } of ranges) {
    if (state === 'Reserved') continue
    const last = mapped.at(-1)
    if (last !== undefined && last.address + last.size === address && last.category === category) last.size += size
    else mapped.push({ address, size, category })
  }
  return mapped
}

const looks = new WeakMap<Memory, Looks>()

/** Resident bytes by category, as last looked at. Null: the host does not tell, or the first look is not complete. */
export function residentOf(memory: Memory): ResidentBytes | null {
  const { pageSize } = memory.os.traits
  const known = looks.get(memory)
  if (known !== undefined) return known.read()
  const [first] = memory.ranges()
  // A host that does not tell answers null for each range.
  if (first !== undefined && memory.residency(first.address, pageSize) === null) return null
  const own = new Looks(memory)
  looks.set(memory, own)
  return own.read()
}
