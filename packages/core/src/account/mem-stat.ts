// SysMemStat: the bytes that one category holds. It answers to sysMemStat in Go's runtime/mstats.go. The account
// counts them, users read them.
import { UsageError } from '../errors.js'
import { show } from '../text.js'

/** What the account shares with its category. */
export interface Count {
  bytes: number
  /** Bytes that may be Ready. */
  limit: number
  /** Hears that there is a limit now. @throws UsageError where states are not known. */
  limited(): void
}

/** The bytes held by one category. Take one from `memory.stat(name)`. */
export class SysMemStat {
  /** The category. */
  readonly name: string
  #place: number
  #count: Count

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

  /**
   * What counts for it.
   *
   * @internal
   */
  static countOf(stat: SysMemStat): Count {
    return stat.#count
  }

  /**
   * Its category was dropped, and another one counts for it from now on.
   *
   * @internal
   */
  static adopt(stat: SysMemStat, place: number, count: Count): void {
    stat.#place = place
    stat.#count = count
  }

  /**
   * The bytes of the category that may be Ready. Default null: as many as there are. What would pass it is refused by
   * an OutOfMemoryError that names the category. What is Ready beyond a lower limit stays.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION when it is set to what is neither bytes nor null, and without a ledger.
   */
  get limit(): number | null {
    return this.#count.limit === Infinity ? null : this.#count.limit
  }

  set limit(bytes: number | null) {
    if (bytes !== null && !(typeof bytes === 'number' && bytes >= 0)) {
      throw new UsageError('ERR_MEMLAYER_OPTION', `stat: the limit of '${this.name}' is ${show(bytes)}`, {
        op: 'stat',
        hint: 'Pass a number of bytes, or null for none.',
      })
    }
    if (bytes !== null) this.#count.limited()
    this.#count.limit = bytes ?? Infinity
  }

  /** The bytes that the category holds: obtained by sysAlloc and sysMap, and not freed since. */
  load(): number {
    return this.#count.bytes
  }
}
