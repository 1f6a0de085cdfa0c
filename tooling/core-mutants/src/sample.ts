// Chooses some mutants of many. The same seed chooses the same ones.

/** Chooses `count` of the items, in their order. All of them, if there are not more. */
export function sample<T>(items: readonly T[], count: number, seed: number): T[] {
  const next = numbers(seed)
  const keys = items.map((_, at) => ({ at, key: next() })).toSorted((a, b) => a.key - b.key)
  const chosen = new Set(keys.slice(0, count).map(({ at }) => at))
  return items.filter((_, at) => chosen.has(at))
}

/** Numbers from 0 to 2^32, by mulberry32. */
function numbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
