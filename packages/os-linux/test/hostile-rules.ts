// Which hostile call is right, by what the shadow knows. hostile-scene.ts asks before it makes the call.
import type { Memory, Region, SysMemStat } from '@memlayer/core'
import type { HostileShadow } from './hostile-shadow.js'

/** What an operation on a part of a region asks. */
export interface PartOfRegion {
  /** The first argument as an offset: an address becomes the distance from the region's start. */
  readonly offset: unknown
  /** The address there; NaN: the offset is not a number. */
  readonly at: number
  /** The address where the part begins if the offset may be left out: then at the region's start. */
  readonly place: number
  /** The second argument, or the bytes from there to the region's end. */
  readonly rest: unknown
  /** Whether the region still has `n` bytes from the offset on. */
  isWithin(n: unknown): boolean
  /** Whether the region still has `n` bytes from `place` on. */
  isFrom(n: unknown): boolean
  /** The elements of a view without a length: as many as fit up to the region's end. */
  elements(type: unknown, length: unknown): unknown
  /** Whether the part is Ready, and the region's. */
  isReady(): boolean
  /** Whether the region has anything left. */
  readonly isLeft: boolean
  /** Whether nothing keeps what the region has left. */
  readonly isLoose: boolean
}

/** The rules of one memory. */
export class HostileRules {
  readonly #memory: Memory
  readonly #shadow: HostileShadow

  constructor(memory: Memory, shadow: HostileShadow) {
    this.#memory = memory
    this.#shadow = shadow
  }

  /** Whole pages, and at least one. */
  isSize(n: unknown): n is never {
    return Number.isSafeInteger(n) && (n as number) >= 1 && (n as number) % this.#shadow.page === 0
  }

  /** A page's address, from which `n` bytes end within all addresses. */
  isAddress(v: unknown, n: unknown): boolean {
    if (!Number.isInteger(v) || (v as number) < 0 || (v as number) % this.#shadow.page !== 0) return false
    return (v as number) + (n as number) <= 2 ** 64
  }

  /** A category of this memory that can count `n` bytes more, or none. */
  isStat(stat: unknown, n: unknown): boolean {
    if (stat === null) return true
    const own = [this.#memory.stat('a'), this.#memory.stat('b')].find((one) => one === stat)
    return own !== undefined && own.load() + (n as number) <= Number.MAX_SAFE_INTEGER
  }

  /** Whole pages in these states; `least`: how many bytes at least. */
  isRange(v: unknown, n: unknown, states: Parameters<HostileShadow['is']>[2], least: 0 | 1): boolean {
    const isWhole = Number.isSafeInteger(n) && (n as number) >= least && (n as number) % this.#shadow.page === 0
    if (!isWhole || !this.isAddress(v, n)) return false
    return this.#shadow.is(v as number, n as number, states)
  }

  /** Bytes that are Ready, not only whole pages. */
  isReady(v: number, n: number): boolean {
    return this.#shadow.is(v, n, ['Ready'])
  }

  /** A range that sysUnused takes. */
  isUnusable(v: unknown, n: unknown): boolean {
    return this.isRange(v, n, ['Ready'], 0) && !this.#shadow.isHeld(v as number, n as number)
  }

  /** A range that sysFault takes. */
  isFaultable(v: unknown, n: unknown): boolean {
    return this.isRange(v, n, ['Prepared', 'Ready'], 0) && !this.#shadow.isHeld(v as number, n as number)
  }

  /** A range that sysFree takes with this category. */
  isFree(v: unknown, n: unknown, stat: SysMemStat | null): boolean {
    if (!this.isRange(v, n, ['Reserved', 'Prepared', 'Ready'], 1)) return false
    if (this.#shadow.isHeld(v as number, n as number)) return false
    if (stat === null) return true
    if (stat !== this.#memory.stat('a') && stat !== this.#memory.stat('b')) return false
    const pieces = this.#shadow.over(v as number, n as number)
    return pieces.every(({ category }) => category === null || category === stat.name)
  }

  /** A view of `length` elements at an address. */
  isView(type: unknown, v: number, length: unknown): boolean {
    const element = elementOf(type)
    if (element === null || !Number.isInteger(length) || (length as number) < 0 || v % element !== 0) return false
    return this.#shadow.is(v, (length as number) * element, ['Ready'])
  }

  /** A part of a region, by the first two arguments of a call. */
  partOf(region: Region, a: unknown, b: unknown): PartOfRegion {
    const shadow = this.#shadow
    const offset: unknown = typeof a === 'number' && a > 2 ** 32 ? a - region.address : a
    const at = region.address + (typeof offset === 'number' ? offset : NaN)
    const start: unknown = offset === undefined ? 0 : offset
    const place = region.address + (typeof start === 'number' ? start : NaN)
    const rest: unknown = b === undefined ? (typeof start === 'number' ? region.size - start : NaN) : b
    const left = shadow.left(region)
    return {
      offset,
      at,
      place,
      rest,
      isWithin: (n) =>
        isLength(offset, Infinity) && isLength(n, region.size - offset) && left.length > 0 && shadow.has(region, at, n),
      isFrom: (n) =>
        isLength(start, Infinity) &&
        isLength(n, region.size - start) &&
        left.length > 0 &&
        shadow.has(region, place, n),
      elements: (type, length) =>
        length === undefined && typeof start === 'number'
          ? Math.floor((region.size - start) / (elementOf(type) ?? NaN))
          : length,
      isReady: () =>
        isLength(start, region.size) &&
        isLength(rest, region.size - start) &&
        left.length > 0 &&
        shadow.has(region, region.address + start, rest) &&
        shadow.is(region.address + start, rest, ['Ready']),
      isLeft: left.length > 0,
      isLoose: left.every(([from, end]) => !shadow.isHeld(from, end - from)),
    }
  }
}

/** A whole number from 0 to `most`. */
export function isLength(n: unknown, most: number): n is number {
  return Number.isSafeInteger(n) && (n as number) >= 0 && (n as number) <= most
}

/** The bytes that a view of this type and length spans. */
export function spanOf(type: unknown, length: unknown): unknown {
  return typeof length === 'number' ? length * (elementOf(type) ?? 1) : NaN
}

/** The bytes of a view; null: it is not a view, or has been detached. */
export function byteLengthOf(data: unknown): number | null {
  if (!ArrayBuffer.isView(data)) return null
  const isDetached = data.buffer.byteLength === 0 && (data.buffer as ArrayBuffer).detached
  return isDetached && (data as Uint8Array).length === 0 ? null : data.byteLength
}

/** Whether [v, v+n) and [w, w+m) have a byte in common. */
export function overlap(v: number, n: number, w: number, m: number): boolean {
  return n > 0 && v < w + m && w < v + n
}

/** The bytes of an element of a class. A class that extends one is as good as that one. */
function elementOf(type: unknown): number | null {
  if (typeof type !== 'function') return null
  if (type === DataView || type === Uint8Array) return 1
  return type === Float64Array ? 8 : elementOf(Object.getPrototypeOf(type))
}
