// The ranges that were freed and not handed out again, in order of address. Neighbours are joined. mem_js.go had no
// such list. Go took Plan 9's list for it in 2023.
import type { Address } from '@memlayer/kernel'

/** Free address ranges. They never touch, because two that touch become one. */
export class FreeRanges {
  readonly #starts: Address[] = []
  readonly #sizes: number[] = []
  #bytes = 0

  /** The bytes of all ranges. */
  get bytes(): number {
    return this.#bytes
  }

  /** The bytes of the largest range. */
  get largest(): number {
    return this.#sizes.reduce((most, size) => Math.max(most, size), 0)
  }

  /** Takes `n` bytes from the lowest range that has them. `null` when there is no such range. */
  take(n: number): Address | null {
    const i = this.#sizes.findIndex((size) => size >= n)
    if (i === -1) return null
    const v = this.#starts[i] as Address
    const left = (this.#sizes[i] as number) - n
    this.#bytes -= n
    if (left === 0) this.#remove(i)
    else {
      this.#starts[i] = v + n
      this.#sizes[i] = left
    }
    return v
  }

  /** Adds [v, v+n), which must not be free, and joins it with its neighbours. */
  add(v: Address, n: number): void {
    const i = this.#after(v)
    const joinsNext = this.#starts[i] === v + n
    const joinsPrevious = i > 0 && this.#endOf(i - 1) === v
    this.#bytes += n
    if (joinsPrevious) {
      this.#sizes[i - 1] = (this.#sizes[i - 1] as number) + n + (joinsNext ? (this.#sizes[i] as number) : 0)
      if (joinsNext) this.#remove(i)
    } else if (joinsNext) {
      this.#starts[i] = v
      this.#sizes[i] = (this.#sizes[i] as number) + n
    } else {
      this.#starts.splice(i, 0, v)
      this.#sizes.splice(i, 0, n)
    }
  }

  /** Whether a byte of [v, v+n) is free. */
  touches(v: Address, n: number): boolean {
    const i = this.#after(v)
    return (i > 0 && this.#endOf(i - 1) > v) || (i < this.#starts.length && (this.#starts[i] as Address) < v + n)
  }

  /** Takes the range that ends at `end` and returns its start. Returns `end` when there is no such range. */
  takeLast(end: Address): Address {
    const i = this.#starts.length - 1
    if (i < 0 || this.#endOf(i) !== end) return end
    const v = this.#starts[i] as Address
    this.#bytes -= end - v
    this.#remove(i)
    return v
  }

  #endOf(i: number): Address {
    return (this.#starts[i] as Address) + (this.#sizes[i] as number)
  }

  #remove(i: number): void {
    this.#starts.splice(i, 1)
    this.#sizes.splice(i, 1)
  }

  /** The index of the first range that begins above `v`. */
  #after(v: Address): number {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] as Address) <= v) low = middle + 1
      else high = middle
    }
    return low
  }
}
