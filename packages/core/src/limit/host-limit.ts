// What bounds the process's memory on this host, and what it uses of that.
import type { HostServices, PosixLimits, WindowsLimits } from '@memlayer/kernel'

/** A limit of the host. */
export interface HostLimit {
  readonly bytes: number
  /** What people call it. */
  readonly name: string
}

/** The smallest limit that ends, stalls or refuses the process. Null: the host tells none. */
export function hostLimit(host: HostServices | undefined): HostLimit | null {
  const limits = host?.limits?.()
  if (limits === undefined) return null
  const found = candidates(limits).filter(({ bytes }) => bytes > 0 && bytes < Infinity)
  return found.reduce<HostLimit | null>((least, one) => (least === null || one.bytes < least.bytes ? one : least), null)
}

function candidates(limits: PosixLimits | WindowsLimits): HostLimit[] {
  if (!('groupLimit' in limits)) return [{ bytes: limits.commitLimit, name: 'the commit limit' }]
  return [
    { bytes: limits.groupLimit, name: "the control group's memory.max" },
    { bytes: limits.groupHigh ?? Infinity, name: "the control group's memory.high" },
    { bytes: limits.dataSize ?? Infinity, name: 'RLIMIT_DATA' },
    { bytes: limits.addressSpace, name: 'RLIMIT_AS' },
    { bytes: limits.hostMemory ?? Infinity, name: "the host's memory" },
  ]
}

/** A limit, and what is used of it. */
export interface LimitUse extends HostLimit {
  readonly used: number
  /** Whether the program has set it, so that nothing beyond it ends the process. */
  readonly isOwn: boolean
}

/** The limit of the host of which the greatest part is used. Null: the host tells none, or not what is used of it. */
export function nearestLimit(host: HostServices | undefined): LimitUse | null {
  const limits = host?.limits?.()
  if (limits === undefined) return null
  const part = ({ used, bytes }: LimitUse): number => used / bytes
  return uses(limits)
    .filter(({ bytes, used }) => bytes > 0 && bytes < Infinity && used >= 0)
    .reduce<LimitUse | null>((most, one) => (most === null || part(one) > part(most) ? one : most), null)
}

function uses(limits: PosixLimits | WindowsLimits): LimitUse[] {
  const of = (name: string, bytes: number, used: number): LimitUse => ({ name, bytes, used, isOwn: false })
  const committed = 'groupLimit' in limits ? limits.committed : limits.commitLimit - limits.commitAvailable
  const commit = of('the commit limit', limits.commitLimit, committed)
  if (!('groupLimit' in limits)) return [commit]
  return [
    of("the control group's memory.max", limits.groupLimit, limits.groupUsed),
    of("the control group's memory.high", limits.groupHigh ?? Infinity, limits.groupHighUsed ?? NaN),
    of('RLIMIT_DATA', limits.dataSize ?? Infinity, limits.dataSizeUsed ?? NaN),
    // Linux counts strictly with overcommit 2 alone.
    ...(limits.overcommit === 2 ? [commit] : []),
  ]
}

interface Engine {
  readonly process?: { readonly memoryUsage?: { rss?(): number } }
}

/**
 * What the process uses: of its control group's limit what the group uses without file pages that can be taken back, or
 * else its resident memory. NaN: the host does not tell.
 */
export function processUse(host: HostServices | undefined): number {
  const limits = host?.limits?.()
  if (limits !== undefined && 'groupLimit' in limits && limits.groupLimit < Infinity) return limits.groupUsed
  const { process } = globalThis as Engine
  return process?.memoryUsage?.rss?.() ?? host?.residentMemory?.() ?? NaN
}
