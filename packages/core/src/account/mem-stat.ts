// SysMemStat: the bytes that one category holds. It answers to sysMemStat in Go's runtime/mstats.go. The account
// counts them, users read them.

/** A count of bytes that the account shares with its category. */
export interface Count {
  bytes: number
}

/** The bytes held by one category. Take one from `memory.stat(name)`. */
export class SysMemStat {
  /** The category. */
  readonly name: string
  readonly #place: number
  readonly #count: Count

  /** @internal */
  constructor(name: string, place: number, count: Count) {
    this.name = name
    this.#place = place
    this.#count = count
    // The count is private. The name must stay what the account was made with.
    Object.freeze(this)
  }

  /**
   * The place of a category in its memory's account; -1 for a value that is not a category. Runs no code of the
   * value's own, neither a getter nor a proxy.
   *
   * @internal
   */
  static placeOf(value: unknown): number {
    return typeof value === 'object' && value !== null && #place in value ? value.#place : -1
  }

  /** The bytes that the category holds: obtained by sysAlloc and sysMap, and not freed since. */
  load(): number {
    return this.#count.bytes
  }
}
