// Writes the log and the moments as Chrome trace events, which Perfetto and chrome://tracing open: a track of
// operations and one of bytes for each category, and a slice from the reservation to the free for each of the largest
// regions.
import type { LogEntry, Moment } from './snapshot.js'
import type { StoredRegion, TimelineData } from './timeline.js'

/** One event of the trace format: an instant, a counter, a slice's begin and end, or a name. */
export interface TraceEvent {
  /** The name of the operation, of the counter, or of the region. */
  readonly name: string
  /** The kind of event. */
  readonly ph: 'i' | 'C' | 'M' | 'b' | 'e'
  /** The time in microseconds. */
  readonly ts: number
  /** The process, always 1. */
  readonly pid: number
  /** The thread: a number for each category. 1 stands for none. */
  readonly tid: number
  /** The scope of an instant: its own track. */
  readonly s?: 't'
  /** What a slice is: `region`. */
  readonly cat?: 'region'
  /** The number of a slice's region. */
  readonly id?: number
  /** Figures and details. */
  readonly args: Readonly<Record<string, string | number | null>>
}

/** Regions with a slice: the largest ones. Each has a track of its own. */
const slicesMax = 200
const none = 'no category'
const pid = 1

/** The tracks: a number for each category. */
class Tracks {
  readonly #tracks = new Map<string, number>([[none, 1]])

  of(category: string | null): number {
    const name = nameOf(category)
    const tid = this.#tracks.get(name) ?? this.#tracks.size + 1
    this.#tracks.set(name, tid)
    return tid
  }

  /** The events that name them. */
  names(): TraceEvent[] {
    const named = Array.from(this.#tracks, ([name, tid]): TraceEvent => ({
      name: 'thread_name',
      ph: 'M',
      ts: 0,
      pid,
      tid,
      args: { name },
    }))
    return [{ name: 'process_name', ph: 'M', ts: 0, pid, tid: 1, args: { name: 'memlayer' } }, ...named]
  }
}

const nameOf = (category: string | null): string => (category === null || category === '' ? none : category)

/**
 * A trace of a log in order of time. The figures of `moments` become counters, and a `timeline`, which a saved snapshot
 * has, the bytes of each category and the lives of regions.
 */
export function traceOf(
  log: readonly LogEntry[],
  moments: readonly Moment[],
  timeline?: TimelineData,
): { readonly traceEvents: TraceEvent[] } {
  const tracks = new Tracks()
  const events = [
    ...log.map((entry) => operationOf(entry, tracks)),
    ...moments.flatMap(countersOf),
    ...(timeline === undefined ? [] : [...categoriesOf(timeline, tracks), ...livesOf(timeline, tracks)]),
  ]
  return { traceEvents: [...tracks.names(), ...events.sort((a, b) => a.ts - b.ts)] }
}

function operationOf(
  { at, op, address, size, category, region, outcome, answer }: LogEntry,
  tracks: Tracks,
): TraceEvent {
  const where = address === null ? null : `0x${address.toString(16)}`
  const args = { region, address: where, size, category, outcome, answer }
  return { name: op, ph: 'i', s: 't', ts: at * 1000, pid, tid: tracks.of(category), args }
}

function countersOf({ at, reserved, prepared, ready, resident, heapUsed, external }: Moment): TraceEvent[] {
  const place = { ph: 'C', ts: at * 1000, pid, tid: 1 } as const
  const known = resident === null ? {} : { resident }
  return [
    { name: 'layer', ...place, args: { reserved, prepared, ready } },
    { name: 'process', ...place, args: { ...known, heapUsed, external } },
  ]
}

/** The bytes of each category at each moment in which they have changed. */
function* categoriesOf({ regions, steps }: TimelineData, tracks: Tracks): Generator<TraceEvent> {
  const categories = new Map(regions.map(({ id, category }) => [id, nameOf(category)]))
  const had = new Map<number, readonly number[]>()
  const sums = new Map<string, [reserved: number, prepared: number, ready: number]>()
  const add = (id: number, numbers: readonly number[], sign: number): string => {
    const name = categories.get(id) ?? none
    const sum = sums.get(name) ?? [0, 0, 0]
    for (const i of [0, 1, 2] as const) sum[i] += sign * (numbers[i + 1] ?? 0)
    sums.set(name, sum)
    return name
  }
  for (const { at, changed, gone, all } of steps) {
    const touched = new Set<string>()
    for (const id of all === true ? [...had.keys()] : gone) {
      const numbers = had.get(id)
      if (numbers !== undefined) touched.add(add(id, numbers, -1))
      had.delete(id)
    }
    for (let i = 0; i < changed.length; i += 6) {
      const [numbers, id] = [changed.slice(i, i + 6), changed[i] as number]
      const before = had.get(id)
      if (before !== undefined) add(id, before, -1)
      touched.add(add(id, numbers, 1))
      had.set(id, numbers)
    }
    for (const name of touched) {
      const [reserved, prepared, ready] = sums.get(name) ?? [0, 0, 0]
      const args = { reserved, prepared, ready }
      yield { name: `category ${name}`, ph: 'C', ts: at * 1000, pid, tid: tracks.of(name), args }
    }
  }
}

/** A slice for each of the largest regions, from the first moment that has it to the one in which it is gone. */
function livesOf({ regions, steps }: TimelineData, tracks: Tracks): TraceEvent[] {
  const largest = regions
    .filter(({ id }) => id >= 0)
    .toSorted((a, b) => b.size - a.size)
    .slice(0, slicesMax)
  const shown = new Map(largest.map((region) => [region.id, region]))
  const begun = new Set<number>()
  const events: TraceEvent[] = []
  const tell = (ph: 'b' | 'e', { id, name, size, category }: StoredRegion, at: number): void => {
    const args = { size, category }
    events.push({ name, ph, cat: 'region', id, ts: at * 1000, pid, tid: tracks.of(category), args })
  }
  for (const { at, changed, gone } of steps) {
    for (let i = 0; i < changed.length; i += 6) {
      const region = shown.get(changed[i] as number)
      if (region === undefined || begun.has(region.id)) continue
      begun.add(region.id)
      tell('b', region, at)
    }
    for (const id of gone) {
      const region = shown.get(id)
      if (region !== undefined && begun.has(id)) tell('e', region, at)
      shown.delete(id)
    }
  }
  // Those that are there still end with the trace.
  for (const region of shown.values()) if (begun.has(region.id)) tell('e', region, steps.at(-1)?.at ?? 0)
  return events
}
