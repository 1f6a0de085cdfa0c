// Where a differential run makes its calls: a range of its own, so that no fixed mapping can
// ever hit the engine's heap.

/** A small part for crowded pages, and a large one in which huge pages fit. */
export interface Arena {
  readonly base: number
  readonly pageSize: number
  readonly hugePageSize: number
  /** Pages of the small part, which is at `base`. */
  readonly pages: number
  /** Huge pages of the large part. */
  readonly hugePages: number
}

/** Both ends of an arena's two parts. */
export function partsOf(arena: Arena): { small: [number, number]; large: [number, number] } {
  const { base, pageSize, hugePageSize, pages, hugePages } = arena
  // Between them is a gap that nothing maps.
  const start = Math.ceil((base + pages * pageSize + hugePageSize) / hugePageSize) * hugePageSize
  return { small: [base, base + pages * pageSize], large: [start, start + hugePages * hugePageSize] }
}
