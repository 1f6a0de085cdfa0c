// What bounds the process's memory on this host, and what it uses of that.
import type { HostServices, PosixLimits, WindowsLimits } from '@memlayer/kernel'

/** A limit of the host. */
export interface HostLimit {
  readonly bytes: number
  /** What people call it. */
  readonly name: string
}

/** A limit, and what is used of it. */
export interface LimitUse extends HostLimit {
  /** NaN: the host does not tell. */
  readonly used: number
  /** Whether the program has set it, so that nothing beyond it ends the process. */
  readonly isOwn: boolean
}

/** The smallest limit that ends, stalls or refuses the process. Null: the host tells none. */
export function hostLimit(host: HostServices | undefined): HostLimit | null {
  const limits = host?.limits?.()
  if (limits === undefined) return null
  const least = first(listOf(limits), (a, b) => a.bytes < b.bytes)
  return least === null ? null : { bytes: least.bytes, name: least.name }
}

/** The limit of the host of which the greatest part is used. Null: the host tells none, or not what is used of it. */
export function nearestLimit(host: HostServices | undefined): LimitUse | null {
  const limits = host?.limits?.()
  if (limits === undefined) return null
  const all = listOf(limits)
  // Linux counts strictly with overcommit 2 alone.
  if ('groupLimit' in limits && limits.overcommit === 2) all.push(commitLimit(limits.commitLimit, limits.committed))
  const told = all.filter(({ used }) => used >= 0)
  return first(told, (a, b) => a.used / a.bytes > b.used / b.bytes)
}

/** The limit that stands before all others. Null: there is none. */
function first(limits: readonly LimitUse[], isBefore: (a: LimitUse, b: LimitUse) => boolean): LimitUse | null {
  const finite = limits.filter(({ bytes }) => bytes > 0 && bytes < Infinity)
  return finite.reduce<LimitUse | null>((best, one) => (best === null || isBefore(one, best) ? one : best), null)
}

function listOf(limits: PosixLimits | WindowsLimits): LimitUse[] {
  if (!('groupLimit' in limits)) {
    return [commitLimit(limits.commitLimit, limits.commitLimit - limits.commitAvailable)]
  }
  return [
    ofHost("the control group's memory.max", limits.groupLimit, limits.groupUsed),
    ofHost("the control group's memory.high", limits.groupHigh, limits.groupHighUsed),
    ofHost('RLIMIT_DATA', limits.dataSize, limits.dataSizeUsed),
    // Reserved addresses count to it, and the host's memory is shared: what is used of them says nothing.
    ofHost('RLIMIT_AS', limits.addressSpace),
    ofHost("the host's memory", limits.hostMemory),
  ]
}

const ofHost = (name: string, bytes = Infinity, used = NaN): LimitUse => ({ name, bytes, used, isOwn: false })

const commitLimit = (bytes: number, used: number): LimitUse => ofHost('the commit limit', bytes, used)

interface Engine {
  readonly process?: { readonly memoryUsage?: { rss?(): number } }
}

/**
 * What the process uses: of its control group's limit what the group uses without file pages that can be taken back, or
 * else its resident memory. NaN: the host does not tell.
 */
export function processUse(host: HostServices | undefined): number {
  const limits = host?.groupLimits?.() ?? host?.limits?.()
  if (limits !== undefined && 'groupLimit' in limits && limits.groupLimit < Infinity) return limits.groupUsed
  const { process } = globalThis as Engine
  return process?.memoryUsage?.rss?.() ?? host?.residentMemory?.() ?? NaN
}
