// Huge pages, region by region: what a region asks for, kept up as pages change state, and beside it what the
// kernel gave. Without a policy the layer does what Go's runtime does, and asks nothing here.
import { alignDown, alignUp, isAligned, type Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import type { Ledger } from '../ledger/ledger.js'
import { RangeMap } from '../ledger/range-map.js'
import { READY, stateOf } from '../ledger/states.js'
import type { OS } from '../os.js'
import { show } from '../text.js'

/**
 * Whether a region asks the OS for huge pages. `'default'`: as Go does. Go asks for them where whole ones are used, and
 * forbids those that `unused` cuts in two. `'on'` asks for those again as soon as all of their pages are Ready. `'off'`
 * forbids huge pages. An OS without huge pages ignores it.
 */
export type HugePagePolicy = 'default' | 'on' | 'off'

/** Huge pages that a region asks for, and huge pages that it has. */
export interface HugePageUse {
  /** Bytes that lie in whole huge pages of Ready memory, where the policy asks for them. */
  readonly requested: number
  /**
   * Of the region's resident bytes, those that the kernel holds in huge pages. Linux: AnonHugePages in
   * /proc/self/smaps, which is slow to read. Of a mapping that reaches beyond the region, at most the part inside
   * counts. NaN: the OS does not tell.
   */
  readonly obtained: number
}

const policies: readonly HugePagePolicy[] = ['default', 'on', 'off']
const DEFAULT = 0
const ON = 1
const OFF = 2

/** @throws UsageError ERR_MEMLAYER_OPTION unless `policy` is a policy. */
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
  readonly #policies = new RangeMap()

  constructor(os: OS, ledger: Ledger) {
    this.#os = os
    this.#ledger = ledger
  }

  /** Whether a region has a policy of its own. If not, sysUsed asks nothing here. */
  get inUse(): boolean {
    return this.#policies.size > 1
  }

  /** The policy at `v`. */
  at(v: Address): HugePagePolicy {
    this.#policies.seek(v)
    return policies[this.#policies.value] ?? 'default'
  }

  /** How many runs of Ready memory [v, v+n) has: `set` advises each of them. */
  runsIn(v: Address, n: number): number {
    return this.#readyRuns(v, n).length
  }

  /** Sets the policy of [v, v+n), and advises the OS on what is Ready there. */
  set(v: Address, n: number, policy: HugePagePolicy): void {
    this.#policies.assign(v, n, policies.indexOf(policy))
    for (const [at, size] of this.#readyRuns(v, n)) {
      if (policy === 'default') this.#os.sysHugePageOS(at, size)
      else this.used(at, size)
    }
  }

  /** [v, v+n) was freed. */
  freed(v: Address, n: number): void {
    if (this.inUse) this.#policies.assign(v, n, DEFAULT)
  }

  /** [v, v+n) became Ready, and the backend has advised the OS as Go does. */
  used(v: Address, n: number): void {
    const map = this.#policies
    const end = v + n
    for (let at = v; at < end;) {
      map.seek(at)
      const policy = map.value
      const stop = map.endBy(end)
      try {
        if (policy === ON) this.#ask(at, stop)
        else if (policy === OFF) this.#os.sysNoHugePageOS?.(at, stop - at)
      } catch {
        // The pages are Ready already, and a hint that fails changes nothing.
      }
      at = stop
    }
  }

  /**
   * [v, v+n) was zeroed. A backend cuts the huge pages that such a range only touches, at its ends. Where the policy is
   * `'off'` that is what it asks for.
   */
  zeroed(v: Address, n: number): void {
    const huge = this.#os.traits.hugePageSize
    if (huge === 0 || (isAligned(v, huge) && isAligned(v + n, huge))) return
    this.#policies.seek(v)
    if (this.#policies.value !== OFF || !this.#policies.reaches(v, n)) this.used(v, n)
  }

  /** What [v, v+n) asks for, and what it has. */
  use(v: Address, n: number): HugePageUse {
    const huge = this.#os.traits.hugePageSize
    let requested = 0
    if (huge > 0 && this.at(v) !== 'off') {
      for (const [at, size] of this.#readyRuns(v, n)) {
        requested += Math.max(alignDown(at + size, huge) - alignUp(at, huge), 0)
      }
    }
    return { requested, obtained: this.#os.host?.hugePages?.(v, n) ?? NaN }
  }

  /** Asks for the huge pages that [v, end) touches, without one at either end that is not Ready as a whole. */
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
    return this.#ledger.within(v, n).every(({ packed }) => stateOf(packed) === READY)
  }

  /** What of [v, v+n) is Ready, as pairs of address and size. Neighbours of several categories are one run. */
  #readyRuns(v: Address, n: number): [Address, number][] {
    const runs: [Address, number][] = []
    for (const { address, size, packed } of this.#ledger.within(v, n)) {
      if (stateOf(packed) !== READY) continue
      const last = runs.at(-1)
      if (last !== undefined && last[0] + last[1] === address) last[1] += size
      else runs.push([address, size])
    }
    return runs
  }
}
