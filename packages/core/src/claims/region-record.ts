// What is known of one region, for as long as any of it is owned. The region itself may be collected before that.
import type { Address } from '@memlayer/kernel'
import { RangeMap } from '../ledger/range-map.js'

/** One region's addresses, and which of them are still its own. */
export class RegionRecord {
  readonly name: string
  /** The stack of the place where it was reserved, as text: an Error would keep all objects on it alive. */
  readonly made: string
  /** Its number. No other region of its memory has or had it. 0 until it is entered. */
  id = 0
  /** Where it begins; NaN until it is entered. */
  address: Address = NaN
  size = 0
  /** Of a buffer that was adopted: whether the buffer still has the pages. Null: the layer obtained them. */
  isThere: (() => boolean) | null = null
  // 1 where it was freed. Those addresses may belong to another region by now.
  #freed: RangeMap | null = null
  #left = 0

  constructor(name: string, made: string) {
    this.name = name
    this.made = made
  }

  /** Whether nothing is left of it. */
  get isDisposed(): boolean {
    return this.#left === 0
  }

  /** Whether a part of it was freed. */
  get isPartFreed(): boolean {
    return this.#freed !== null
  }

  /** [v, v+n) is its own from now on. */
  enter(id: number, v: Address, n: number): void {
    this.id = id
    this.address = v
    this.size = n
    this.#left = n
  }

  /** Whether all of [v, v+n), which lies within it, is its own. */
  has(v: Address, n: number): boolean {
    if (this.isDisposed) return false
    if (this.#freed === null) return true
    this.#freed.seek(v)
    return this.#freed.value === 0 && this.#freed.endBy(v + n) >= v + n
  }

  /** [v, v+n), which was its own, was freed. */
  lose(v: Address, n: number): void {
    if (n < this.#left) {
      this.#freed ??= new RangeMap()
      this.#freed.assign(v, n, 1)
      this.#left -= n
    } else this.#left = 0
  }

  /** [v, v+n), which it had lost, is its own again. */
  regain(v: Address, n: number): void {
    this.#freed?.assign(v, n, 0)
    this.#left += n
  }

  /** `lose`, where a script may have ended inside it before. */
  loseAgain(v: Address, n: number): void {
    const freed = (this.#freed ??= new RangeMap())
    freed.assign(v, n, 1)
    let left = this.size
    freed.seek(0)
    do if (freed.value !== 0) left -= freed.end - freed.start
    while (freed.next())
    this.#left = Math.min(left, this.#left)
  }

  /** Its parts that were not freed, in order. Each is found when it is asked for: observers may free others between. */
  *owned(): Generator<[Address, number], void, void> {
    const end = this.address + this.size
    for (let at = this.address; at < end && !this.isDisposed;) {
      if (this.#freed === null) {
        yield [at, end - at]
        return
      }
      this.#freed.seek(at)
      const isFreed = this.#freed.value !== 0
      const stop = this.#freed.endBy(end)
      if (!isFreed) yield [at, stop - at]
      at = stop
    }
  }
}
