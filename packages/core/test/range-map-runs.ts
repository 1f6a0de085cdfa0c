// The ranges of a map as a list: walked with the cursor, and read from a text.
import type { RangeMap } from '../src/ledger/range-map.js'

/** A range and its value. */
export type Run = [start: number, end: number, value: number]

/** Every range of the map, by the cursor alone. */
export function rangesOf(map: RangeMap): Run[] {
  const runs: Run[] = []
  map.seek(0)
  do runs.push([map.start, map.end, map.value])
  while (map.next())
  return runs
}

/** The ranges of a text: `'10-20=1 30-40=2'`. */
export function runsIn(text: string): Run[] {
  return Array.from(text.matchAll(/(\d+)-(\d+)=(\d+)/g), ([, start, end, value]) => [
    Number(start),
    Number(end),
    Number(value),
  ])
}
