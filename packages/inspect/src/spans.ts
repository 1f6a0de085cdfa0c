// The spans of a memory that the residency book looks at: each region, and each mapped stretch outside of regions.
// No byte is in two spans. A region may have a hole that was freed and that another region has now.
import type { LeakedRegion, Memory, OwnedRange, Region } from '@memlayer/core'

/** A region, as the inspector lists it: one in use, or one that was collected and never freed. */
export type AnyRegion = Region | LeakedRegion

/** Address and size. */
export type Piece = readonly [address: number, size: number]

/** What is looked at as one thing. */
export interface Span {
  /** Which span it is: the number of its region, or minus its address. */
  readonly key: number
  /** Where it is, in order of address. */
  readonly pieces: readonly Piece[]
  /** Its mapped bytes: Prepared or Ready. */
  mapped: number
  /** Its bytes in each state. Those of a stretch outside of regions are in `outside`. */
  readonly states: StateBytes
}

/** Bytes in each state. */
export interface StateBytes {
  /** Bytes Reserved. */
  reserved: number
  /** Bytes Prepared. */
  prepared: number
  /** Bytes Ready. */
  ready: number
}

/** The spans of a memory. */
export interface Spans {
  /** The spans, the regions first. */
  readonly spans: readonly Span[]
  /** What each category has outside of regions. */
  readonly outside: ReadonlyMap<string | null, StateBytes>
}

/** The regions of a memory, those in use and those that leaked, in order of address. */
export function regionsOf(memory: Memory): AnyRegion[] {
  return [...memory.regions(), ...memory.leaks()].sort((a, b) => a.address - b.address)
}

/** The spans of `regions` and `owned`, which are in order of address. */
export function spansOf(regions: readonly AnyRegion[], owned: readonly OwnedRange[]): Spans {
  const spans = piecesOf(regions).map(({ id, pieces }): Span => ({ key: id, pieces, mapped: 0, states: noBytes() }))
  const places = spans.flatMap((span) => span.pieces.map(([address, size]) => ({ address, end: address + size, span })))
  places.sort((a, b) => a.address - b.address)
  const stretches: Piece[] = []
  const outside = new Map<string | null, StateBytes>()
  let next = 0
  for (const { address, size, state, category } of owned) {
    const end = address + size
    // A range of one state may reach from one region into the next, or out of it.
    for (let at = address; at < end;) {
      while (next < places.length && (places[next]?.end ?? 0) <= at) next += 1
      const place = places[next]
      const isIn = place !== undefined && place.address <= at
      const stop = Math.min(end, isIn ? place.end : (place?.address ?? end))
      if (isIn) addBytes(place.span.states, state, stop - at)
      else {
        addBytes(outsideOf(outside, category), state, stop - at)
        if (state !== 'Reserved') addPiece(stretches, at, stop - at)
      }
      at = stop
    }
  }
  for (const span of spans) span.mapped = span.states.prepared + span.states.ready
  const others = stretches.map((piece): Span => ({
    key: -piece[0],
    pieces: [piece],
    mapped: piece[1],
    states: noBytes(),
  }))
  return { spans: spans.concat(others), outside }
}

const noBytes = (): StateBytes => ({ reserved: 0, prepared: 0, ready: 0 })

function addBytes(states: StateBytes, state: OwnedRange['state'], bytes: number): void {
  if (state === 'Ready') states.ready += bytes
  else if (state === 'Prepared') states.prepared += bytes
  else states.reserved += bytes
}

function outsideOf(outside: Map<string | null, StateBytes>, category: string | null): StateBytes {
  let states = outside.get(category)
  if (states === undefined) outside.set(category, (states = noBytes()))
  return states
}

/** Adjacent ranges become one piece. */
function addPiece(pieces: Piece[], at: number, size: number): void {
  const [address, length] = pieces.at(-1) ?? [NaN, NaN]
  if (address + length === at) pieces[pieces.length - 1] = [address, length + size]
  else pieces.push([at, size])
}

interface Placed {
  readonly id: number
  pieces: Piece[]
}

/** The regions without the parts that a region made later has. Almost always each is one piece. */
function piecesOf(regions: readonly AnyRegion[]): Placed[] {
  const placed = regions.map((region): Placed => {
    const parts = 'parts' in region ? region.parts : [[region.address, region.size] as const]
    return { id: region.id, pieces: [...parts] }
  })
  let end = -1
  let [from, to] = [0, 0]
  for (const [i, { address, size }] of regions.entries()) {
    if (address >= end) {
      if (to - from > 1) cut(placed.slice(from, to))
      from = i
    }
    end = Math.max(end, address + size)
    to = i + 1
  }
  if (to - from > 1) cut(placed.slice(from, to))
  return placed
}

/** Takes from each what those made after it have. */
function cut(overlapping: readonly Placed[]): void {
  for (const one of overlapping) {
    for (const later of overlapping) {
      if (later.id > one.id) for (const hole of later.pieces) one.pieces = one.pieces.flatMap((p) => without(p, hole))
    }
  }
}

function without([address, size]: Piece, [hole, length]: Piece): Piece[] {
  const [end, stop] = [address + size, hole + length]
  if (hole >= end || stop <= address) return [[address, size]]
  const parts: Piece[] = []
  if (hole > address) parts.push([address, hole - address])
  if (stop < end) parts.push([stop, end - stop])
  return parts
}
