// What was reserved where: bytes and regions by stack, and the tree of all stacks for the flame graph.
import type { RegionSums } from '../region-sums.js'
import type { Shown } from './shown.js'

/** What is measured. */
export type Measure = 'ready' | 'resident' | 'leaked'

/** The sums of the regions that one stack reserved. */
export interface PlaceSum {
  /** The stack: lines of the user's own code, the innermost first. */
  readonly frames: readonly string[]
  /** Regions. */
  count: number
  /** Of those, leaked ones. */
  leaks: number
  /** Bytes Ready. */
  ready: number
  /** Resident bytes, as far as they are known. */
  resident: number
  /** Ready bytes of leaked regions. */
  leaked: number
}

/** The sums by stack, and yields now and then. */
export function* sumPlaces({ regions, stacks }: Shown, { ready }: RegionSums): Generator<void, PlaceSum[]> {
  const sums = stacks.map((stack): PlaceSum => ({
    frames: stack === '' ? ['(no stack)'] : stack.split('\n'),
    count: 0,
    leaks: 0,
    ready: 0,
    resident: 0,
    leaked: 0,
  }))
  for (const [i, { stack, leaked, resident }] of regions.entries()) {
    if (i % 4096 === 4095) yield
    const sum = sums[stack]
    if (sum === undefined) continue
    const bytes = ready[i] ?? 0
    sum.count += 1
    sum.ready += bytes
    sum.resident += resident ?? 0
    if (!leaked) continue
    sum.leaks += 1
    sum.leaked += bytes
  }
  return sums
}

/** A frame of the flame graph, with what the stacks through it reserved. */
export interface Flame {
  /** The stack line. */
  readonly frame: string
  /** Bytes of the measure. */
  bytes: number
  /** The frames that it called, by their lines. */
  readonly calls: Map<string, Flame>
}

/** All stacks as one tree, from the outermost frame on. */
export function flameOf(sums: readonly PlaceSum[], measure: Measure): Flame {
  const root: Flame = { frame: 'all', bytes: 0, calls: new Map() }
  for (const sum of sums) {
    const bytes = sum[measure]
    if (bytes === 0) continue
    root.bytes += bytes
    let node = root
    for (const frame of sum.frames.toReversed()) {
      let next = node.calls.get(frame)
      if (next === undefined) node.calls.set(frame, (next = { frame, bytes: 0, calls: new Map() }))
      next.bytes += bytes
      node = next
    }
  }
  return root
}
