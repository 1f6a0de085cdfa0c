// What bounds the process's memory on this host, and what it uses of that.
import type { HostServices, PosixLimits, WindowsLimits } from '@memlayer/kernel'

/** A limit of the host on this process's memory, and what is used of it. */
export interface HostLimit {
  /** What people call it: `the control group's memory.max`. */
  readonly name: string
  /** Bytes that may be used. */
  readonly bytes: number
  /** Bytes that are used, by all whom it limits. NaN: the host does not tell, or the limit counts something else. */
  readonly used: number
}

/** A limit, with who has set it. */
export interface LimitUse extends HostLimit {
  /** Whether the program has set it, so that nothing beyond it ends the process. */
  readonly isOwn: boolean
}

/** The limits that end, stall or refuse the process, the smallest first. */
export function hostLimits(host: HostServices | undefined): HostLimit[] {
  const limits = host?.limits?.()
  if (limits === undefined) return []
  return finite(withCommit(limits))
    .map(({ name, bytes, used }) => ({ name, bytes, used: used >= 0 ? used : NaN }))
    .sort((a, b) => a.bytes - b.bytes)
}

/** The smallest limit that ends, stalls or refuses the process. Null: the host tells none. */
export function hostLimit(host: HostServices | undefined): Pick<HostLimit, 'name' | 'bytes'> | null {
  const limits = host?.limits?.()
  if (limits === undefined) return null
  const least = first(listOf(limits), (a, b) => a.bytes < b.bytes)
  return least === null ? null : { bytes: least.bytes, name: least.name }
}

/** The limit of the host of which the greatest part is used. Null: the host tells none, or not what is used of it. */
export function nearestLimit(host: HostServices | undefined): LimitUse | null {
  const limits = host?.limits?.()
  if (limits === undefined) return null
  const told = withCommit(limits).filter(({ used }) => used >= 0)
  return first(told, (a, b) => a.used / a.bytes > b.used / b.bytes)
}

/** With the limit on what the whole host commits. Linux counts strictly with overcommit 2 alone. */
function withCommit(limits: PosixLimits | WindowsLimits): LimitUse[] {
  const all = listOf(limits)
  if ('groupLimit' in limits && limits.overcommit === 2) all.push(commitLimit(limits.commitLimit, limits.committed))
  return all
}

const finite = (limits: readonly LimitUse[]): LimitUse[] => limits.filter(({ bytes }) => bytes > 0 && bytes < Infinity)

/** The limit that stands before all others. Null: there is none. */
function first(limits: readonly LimitUse[], isBefore: (a: LimitUse, b: LimitUse) => boolean): LimitUse | null {
  return finite(limits).reduce<LimitUse | null>(
    (best, one) => (best === null || isBefore(one, best) ? one : best),
    null,
  )
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
