// The arena of a differential run: the address range for its calls. The range is separate, so that a fixed mapping
// can't replace the engine's heap.

/** An arena has a small part for many calls on few pages, and a large part with room for huge pages. */
export interface Arena {
  readonly base: number
  readonly pageSize: number
  readonly hugePageSize: number
  /** The number of pages in the small part, which starts at `base`. */
  readonly pages: number
  /** The number of huge pages in the large part. */
  readonly hugePages: number
}

/** Returns the start and the end of each part of an arena. */
export function partsOf(arena: Arena): { small: [number, number]; large: [number, number] } {
  const { base, pageSize, hugePageSize, pages, hugePages } = arena
  // Between the parts is a gap without mappings.
  const start = Math.ceil((base + pages * pageSize + hugePageSize) / hugePageSize) * hugePageSize
  return { small: [base, base + pages * pageSize], large: [start, start + hugePages * hugePageSize] }
}
