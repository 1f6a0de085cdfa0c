// The account of one memory: what each category holds, how many operations there were, and who is
// told of them. The wrappers write to it as they go, and it ends every operation.
import type { Address } from '@memlayer/kernel'
import { show } from './check.js'
import { FatalError, OutOfMemoryError, UsageError } from './errors.js'
import { categoryOf, MIXED, PREPARED, READY, RESERVED, type Held, type Ledger } from './ledger.js'
import { SysMemStat } from './mem-stat.js'
import { Observers, type Observer, type Operation } from './observer.js'
import type { OS } from './os.js'
import { countsOf, type MemoryStats } from './stats.js'

/** Categories and their counts. */
export class Account {
  readonly #os: OS
  readonly #ledger: Ledger | null
  // Category 0 is what no category counts.
  readonly #stats: SysMemStat[] = [new SysMemStat('(uncategorized)', 0)]
  readonly #byName = new Map<string, SysMemStat>()
  readonly #calls: number[] = [0]
  readonly #refusals: number[] = [0]
  readonly #observers: Observers = new Observers()
  // The one that was named last, and is to be found without a look at it.
  #last: SysMemStat | null = null

  constructor(os: OS, ledger: Ledger | null) {
    this.#os = os
    this.#ledger = ledger
  }

  /** The category of this name. */
  stat(name: string): SysMemStat {
    let stat = this.#byName.get(name)
    if (stat === undefined) {
      if (typeof name !== 'string' || name === '') {
        throw new UsageError('ERR_MEMLAYER_STAT', `stat: the category is ${show(name)}`, { hint: 'Pass its name.' })
      }
      stat = new SysMemStat(name, this.#stats.length)
      this.#stats.push(stat)
      this.#calls.push(0)
      this.#refusals.push(0)
      this.#byName.set(name, stat)
    }
    return stat
  }

  /** A category's place. @throws UsageError ERR_MEMLAYER_STAT when it is not this memory's. */
  categoryOf(op: Operation, stat: SysMemStat | null): number {
    if (stat === null) return 0
    if (stat === this.#last) return this.#last.index
    const isStat = stat instanceof SysMemStat
    if (isStat && this.#stats[stat.index] === stat) {
      this.#last = stat
      return stat.index
    }
    throw new UsageError('ERR_MEMLAYER_STAT', `${op}: the stat is ${isStat ? "another memory's" : show(stat)}`, {
      op,
      hint: "Pass what this memory's stat('name') returns, or null to count under no category.",
    })
  }

  /** A category as people call it. */
  readonly nameOf = (category: number): string => this.#stats[category]?.name ?? String(category)

  /**
   * Takes the bytes of [v, v+n) from the categories that count them, or gives them back: all, or none and
   * a FatalError. `held` is what the ledger expected there.
   */
  count(op: Operation, v: Address, n: number, held: Held, sign: 1 | -1): void {
    if (held === MIXED) return this.#countParts(op, v, n, sign)
    const category = categoryOf(held)
    if (category !== 0) this.#stats[category]?.add(sign * n, op)
  }

  #countParts(op: Operation, v: Address, n: number, sign: 1 | -1): void {
    const parts = this.#ledger?.within(v, n) ?? []
    let done = 0
    try {
      for (const { category, size } of parts) {
        if (category !== 0) this.#stats[category]?.add(sign * size, op)
        done += 1
      }
    } catch (error) {
      for (const { category, size } of parts.slice(0, done))
        if (category !== 0) this.#stats[category]?.add(-sign * size, op)
      throw error
    }
  }

  /** Ends an operation that was done. */
  done(op: Operation, address: Address, size: number, category: number): void {
    // What the OS was refused on its way to success says nothing of the operation after this one.
    if (this.#os.refusal) this.#os.refusal = null
    this.#calls[category] = (this.#calls[category] as number) + 1
    if (this.#observers.listening) this.#tell(op, address, size, category)
  }

  /** Ends several operations that were done as one, each of which `end` ends. */
  together(end: () => void): void {
    this.#observers.together(end)
  }

  #tell(op: Operation, address: Address, size: number, category: number): void {
    this.#observers.tell({ op, address, size, category: this.#named(category), outcome: 'done' })
  }

  /** Counts and tells of a failure; returns the error that the caller is to get. */
  failed(op: Operation, address: Address | null, size: number, category: number, error: unknown): unknown {
    if (this.#os.refusal) this.#os.refusal = null
    this.#calls[category] = (this.#calls[category] as number) + 1
    const outcome = error instanceof OutOfMemoryError ? 'refused' : 'broken'
    if (outcome === 'refused') this.#refusals[category] = (this.#refusals[category] as number) + 1
    if (this.#observers.listening && error instanceof Error) {
      this.#observers.tell({ op, address, size, category: this.#named(category), outcome, error })
    }
    return error
  }

  /** The account as it stands. */
  stats(): MemoryStats {
    return countsOf(this.#stats, this.#ledger, this.#calls, this.#refusals)
  }

  /** @throws FatalError ERR_MEMLAYER_ACCOUNT with the first disagreement between the account and the ledger. */
  check(): void {
    if (this.#ledger === null) return
    const fault = this.#ledger.audit() ?? this.#auditStats(this.#ledger)
    if (fault === null) return
    throw new FatalError(`the account is wrong: ${fault}`, { code: 'ERR_MEMLAYER_ACCOUNT' })
  }

  /** Tells `observer` of every operation from now on; the function returned ends it. */
  observe(observer: Observer, wanted?: () => boolean): () => void {
    if (typeof observer !== 'function') {
      throw new UsageError('ERR_MEMLAYER_OPTION', `observe: the observer is ${show(observer)}`, {
        hint: 'Pass a function that takes an event.',
      })
    }
    if (wanted !== undefined && typeof wanted !== 'function') {
      throw new UsageError('ERR_MEMLAYER_OPTION', `observe: wanted is ${show(wanted)}`, {
        hint: 'Pass a function that says whether events are wanted, or leave it out.',
      })
    }
    return this.#observers.add(observer, wanted)
  }

  #auditStats(ledger: Ledger): string | null {
    for (const stat of this.#stats.slice(1)) {
      const { index } = stat
      const held = ledger.bytes(index, RESERVED) + ledger.bytes(index, PREPARED) + ledger.bytes(index, READY)
      if (held !== stat.load()) return `'${stat.name}' counts ${stat.load()} bytes, its ranges are ${held}`
    }
    return null
  }

  #named(category: number): string | null {
    return category === 0 ? null : this.nameOf(category)
  }
}
