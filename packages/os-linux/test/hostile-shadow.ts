// The hostile test's own knowledge of a memory: the state of each range, and which ranges are held or offered. So
// it knows which call is right. It learns of operations only as an observer does.
import type { MemoryEvent, Region, RegionState, ShareToken } from '@memlayer/core'

interface Piece {
  readonly start: number
  readonly end: number
  readonly state: RegionState
  readonly category: string | null
}

/** A reason for pages to stay Ready: a hold, or a share, which is offered first. */
export interface Keep {
  readonly start: number
  readonly end: number
  state: 'offered' | 'held' | 'over'
  readonly token?: ShareToken
}

/** A view that the test kept, and whether its pages have been Ready ever since. */
export interface Kept {
  readonly view: ArrayBufferView
  readonly start: number
  readonly end: number
  alive: boolean
}

/** Pieces, in no order, kept by the simplest means. */
export class HostileShadow {
  readonly page: number
  pieces: Piece[] = []
  keeps: Keep[] = []
  kept: Kept[] = []
  /** The ranges that each region has lost. */
  readonly lost = new Map<Region, { readonly start: number; readonly end: number }[]>()

  constructor(page: number) {
    this.page = page
  }

  /** Applies an operation that was done. */
  done({ op, address, size, category }: MemoryEvent): void {
    const v = address as number
    if (op === 'sysAlloc') this.#set(v, size, 'Ready', category)
    else if (op === 'sysReserve' || op === 'sysReserveAligned') this.#set(v, size, 'Reserved', null)
    else if (op === 'sysMap') this.#set(v, size, 'Prepared', category)
    else if (op === 'sysUsed') this.#move(v, size, 'Ready')
    else if (op === 'sysUnused') this.#leave(v, size, 'Prepared')
    else if (op === 'sysFault') this.#leave(v, size, 'Reserved')
    else if (op === 'sysFree') this.#leave(v, size, 'None')
  }

  /** Whether all of [v, v+n) is in one of the states. */
  is(v: number, n: number, states: readonly RegionState[]): boolean {
    // The address is so large that adding `n` does not change it. Nothing is owned there.
    if (n > 0 && v + n === v) return false
    return this.over(v, n).every(({ state }) => states.includes(state))
  }

  /** Whether a hold or a worker keeps a part of [v, v+n). */
  isHeld(v: number, n: number): boolean {
    return (
      n > 0 && this.keeps.some(({ start, end, state }) => state === 'held' && start < end && start < v + n && end > v)
    )
  }

  /** The bytes of a category. */
  held(category: string): number {
    return this.pieces.reduce((sum, piece) => sum + (piece.category === category ? piece.end - piece.start : 0), 0)
  }

  /** The pieces of [v, v+n), with the ranges between them that are not owned. */
  over(v: number, n: number): Piece[] {
    const found: Piece[] = []
    if (!(n > 0)) return found
    let at = v
    for (const piece of this.pieces
      .filter(({ start, end }) => start < v + n && end > v)
      .toSorted((a, b) => a.start - b.start)) {
      if (piece.start > at) found.push({ start: at, end: piece.start, state: 'None', category: null })
      found.push({ ...piece, start: Math.max(piece.start, v), end: Math.min(piece.end, v + n) })
      at = piece.end
    }
    if (at < v + n) found.push({ start: at, end: v + n, state: 'None', category: null })
    return found
  }

  /** Whether a region still has all of [v, v+n). */
  has(region: Region, v: number, n: number): boolean {
    return !(this.lost.get(region) ?? []).some(({ start, end }) => start < v + Math.max(n, 1) && end > v)
  }

  /** The ranges that a region still has, as pairs of start and end. */
  left(region: Region): [number, number][] {
    const found: [number, number][] = []
    let at = region.address
    for (const { start, end } of (this.lost.get(region) ?? []).toSorted((a, b) => a.start - b.start)) {
      if (start > at) found.push([at, start])
      at = Math.max(at, end)
    }
    if (at < region.address + region.size) found.push([at, region.address + region.size])
    return found
  }

  /** The pieces in the form of memory.ranges(). */
  ranges(): unknown[] {
    const joined: Piece[] = []
    for (const piece of this.pieces.toSorted((a, b) => a.start - b.start)) {
      const last = joined.at(-1)
      if (last?.end === piece.start && last.state === piece.state && last.category === piece.category)
        joined[joined.length - 1] = { ...last, end: piece.end }
      else joined.push(piece)
    }
    return joined.map(({ start, end, state, category }) => ({ address: start, size: end - start, state, category }))
  }

  #move(v: number, n: number, state: RegionState): void {
    for (const piece of this.over(v, n)) this.#set(piece.start, piece.end - piece.start, state, piece.category)
  }

  /** Takes pages out of Ready. Their views end, and so do offers. */
  #leave(v: number, n: number, state: RegionState): void {
    const touches = ({ start, end }: { readonly start: number; readonly end: number }): boolean =>
      start < end && start < v + n && end > v
    for (const kept of this.kept) if (touches(kept)) kept.alive = false
    for (const keep of this.keeps) if (keep.state === 'offered' && touches(keep)) keep.state = 'over'
    if (state !== 'None') return this.#move(v, n, state)
    for (const [region, lost] of this.lost) {
      const [start, end] = [Math.max(v, region.address), Math.min(v + n, region.address + region.size)]
      if (start < end) lost.push({ start, end })
    }
    this.#set(v, n, 'None', null)
  }

  #set(v: number, n: number, state: RegionState, category: string | null): void {
    const [start, end] = [v, v + n]
    const rest = this.pieces.flatMap((piece) => {
      if (piece.end <= start || piece.start >= end) return [piece]
      return [
        { ...piece, end: Math.min(piece.end, start) },
        { ...piece, start: Math.max(piece.start, end) },
      ].filter((part) => part.start < part.end)
    })
    this.pieces = state === 'None' ? rest : [...rest, { start, end, state, category }]
  }
}
