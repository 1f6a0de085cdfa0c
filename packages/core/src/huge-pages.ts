// Huge pages, region by region: what was asked for, kept up as pages change state, and beside it what
// the kernel gave. Without a policy there is what Go's runtime does, and nothing here is asked.
import { alignDown, alignUp, type Address } from '@memlayer/kernel'
import { show } from './check.js'
import { UsageError } from './errors.js'
import type { Ledger } from './ledger.js'
import type { MappingBudget } from './mapping-budget.js'
import type { OS } from './os.js'
import { RangeMap } from './range-map.js'

/**
 * What is asked of the OS for a region. `'default'`: as Go does, which asks for huge pages where whole
 * ones are used and forbids those that `unused` cuts in two. `'on'`: also for those again, as soon
 * as all of their pages are Ready. `'off'`: for none. No more than a wish, and none at all where the OS has
 * nothing to offer.
 */
export type HugePagePolicy = 'default' | 'on' | 'off'

/** Huge pages asked for, and huge pages there are. */
export interface HugePageUse {
  /** Bytes that lie in whole huge pages of Ready memory, where the policy asks for them. */
  readonly requested: number
  /**
   * Of the region's resident bytes, those that the kernel holds in huge pages (Linux: AnonHugePages in
   * /proc/self/smaps, so not quick). A mapping that reaches beyond the region counts with what of it lies inside,
   * at most. NaN: the OS does not tell.
   */
  readonly obtained: number
}

const policies: readonly HugePagePolicy[] = ['default', 'on', 'off']
const DEFAULT = 0
const ON = 1
const OFF = 2

/** @throws UsageError ERR_MEMLAYER_OPTION unless `policy` is one. */
export function checkPolicy(op: string, policy: HugePagePolicy): void {
  if (policies.includes(policy)) return
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the huge page policy is ${show(policy)}`, {
    hint: "Pass 'default', 'on' or 'off'.",
  })
}

/** The policies of one memory's regions. */
export class HugePages {
  readonly #os: OS
  readonly #ledger: Ledger
  readonly #budget: MappingBudget
  readonly #policies = new RangeMap()

  constructor(os: OS, ledger: Ledger, budget: MappingBudget) {
    this.#os = os
    this.#ledger = ledger
    this.#budget = budget
  }

  /** Whether any region has a policy of its own: if not, nothing here need be asked. */
  get inUse(): boolean {
    return this.#policies.size > 1
  }

  /** The policy at `v`. */
  at(v: Address): HugePagePolicy {
    this.#policies.seek(v)
    return policies[this.#policies.value] ?? 'default'
  }

  /**
   * Sets the policy of [v, v+n), and advises the OS on what is Ready there.
   *
   * @throws OutOfMemoryError when the process has not so many kernel mappings to spare.
   */
  set(v: Address, n: number, policy: HugePagePolicy): void {
    const runs = this.#readyRuns(v, n)
    if (!this.#budget.spend(runs.length)) this.#budget.demand('hugePages', n, runs.length)
    this.#policies.assign(v, n, policies.indexOf(policy))
    for (const [at, size] of runs) {
      if (policy === 'default') this.#os.sysHugePageOS(at, size)
      else this.used(at, size)
    }
  }

  /** [v, v+n) has been freed. */
  freed(v: Address, n: number): void {
    if (this.inUse) this.#policies.assign(v, n, DEFAULT)
  }

  /** [v, v+n) is Ready now, and the OS has been advised as Go does. */
  used(v: Address, n: number): void {
    const map = this.#policies
    const end = v + n
    for (let at = v; at < end;) {
      map.seek(at)
      const policy = map.value
      const stop = map.endBy(end)
      if (policy === ON) this.#ask(at, stop)
      else if (policy === OFF) this.#os.sysNoHugePageOS?.(at, stop - at)
      at = stop
    }
  }

  /** What is asked for in [v, v+n), and what there is. */
  use(v: Address, n: number): HugePageUse {
    const huge = this.#os.traits.hugePageSize
    let requested = 0
    if (huge > 0 && this.at(v) !== 'off') {
      for (const [at, size] of this.#readyRuns(v, n)) {
        requested += Math.max(alignDown(at + size, huge) - alignUp(at, huge), 0)
      }
    }
    return { requested, obtained: this.#os.hugePagesIn?.(v, n) ?? NaN }
  }

  /** Asks for the huge pages that [v, end) touches, but for one at either end that is not Ready as a whole. */
  #ask(v: Address, end: Address): void {
    const huge = this.#os.traits.hugePageSize
    if (huge === 0) return
    let from = alignDown(v, huge)
    let to = alignUp(end, huge)
    if (!this.#isWhole(from, huge)) from += huge
    if (from < to && !this.#isWhole(to - huge, huge)) to -= huge
    if (from < to) this.#os.sysHugePageOS(from, to - from)
  }

  #isWhole(v: Address, n: number): boolean {
    this.#policies.seek(v)
    if (this.#policies.value !== ON || !this.#policies.reaches(v, n)) return false
    return this.#ledger.within(v, n).every(({ state }) => state === 'Ready')
  }

  /** What of [v, v+n) is Ready, as pairs of address and size; neighbours of several categories are one. */
  #readyRuns(v: Address, n: number): [Address, number][] {
    const runs: [Address, number][] = []
    for (const { address, size, state } of this.#ledger.within(v, n)) {
      if (state !== 'Ready') continue
      const last = runs.at(-1)
      if (last !== undefined && last[0] + last[1] === address) last[1] += size
      else runs.push([address, size])
    }
    return runs
  }
}
