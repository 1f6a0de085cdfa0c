// What a reader should look at first. The page and the terminal show it above all else. The same conditions are
// Prometheus rules in @memlayer/metrics.
import { formatBytes } from '@memlayer/core'
import { shownName } from './names.js'
import type { Moment, Snapshot, SnapshotHold, SnapshotRegion } from './snapshot.js'

/** One thing that is wrong, or will be soon. */
export interface Alert {
  /** What it is. The words never change. */
  readonly code: 'near-limit' | 'near-mappings' | 'refused' | 'growth' | 'leaked' | 'pinned' | 'old-hold'
  /** The name of the limit that is near, or of the category that grows. Absent: it is of the whole memory. */
  readonly of?: string
  /** A sentence for people. */
  readonly says: string
}

/** The parts of a snapshot that alerts are found in. */
export interface Alerted extends Pick<Snapshot, 'at' | 'limits' | 'mappings' | 'log' | 'stats'> {
  /** The regions. */
  readonly regions: readonly Pick<SnapshotRegion, 'leaked' | 'size'>[]
  /** The holds, the oldest first. */
  readonly holds: readonly Pick<SnapshotHold, 'age' | 'region'>[]
}

/** From these parts of a limit on, it is near: of the program's own, of the host's, of the kernel mappings. */
const [ownNear, hostNear, mappingsNear] = [0.95, 0.9, 0.8]
/** Milliseconds for which a refusal is news, and after which a hold is old. */
const [refusedMilliseconds, oldMilliseconds] = [300_000, 3_600_000]
/** Growth is steady when memory has grown in each of six spans of this many milliseconds, by a tenth in all. */
const [spans, spanMilliseconds, growthLeast] = [6, 30_000, 1.1]
/** A category that has grown by fewer bytes is not told of, and so many are at once. */
const [growthBytesLeast, growingMax] = [2 ** 20, 3]

/** What is wrong in a snapshot, the most urgent first. */
export function alertsOf(snapshot: Alerted, history: readonly Moment[]): Alert[] {
  return [
    ...nearLimits(snapshot),
    ...nearMappings(snapshot),
    ...refused(snapshot),
    ...leaked(snapshot),
    ...growing(history),
    ...kept(snapshot),
  ]
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

function nearLimits({ limits: { own, host } }: Alerted): Alert[] {
  const all = [...(own === null ? [] : [{ ...own, near: ownNear }]), ...host.map((one) => ({ ...one, near: hostNear }))]
  return all.flatMap(({ name, bytes, used, near }): Alert[] => {
    if (bytes === null || used === null || used < near * bytes) return []
    const says = `${percent(used / bytes)} of ${name}, ${formatBytes(bytes)}, are used.`
    return [{ code: 'near-limit', of: name, says }]
  })
}

function nearMappings({ mappings }: Alerted): Alert[] {
  if (mappings === null || mappings.used < mappingsNear * mappings.limit) return []
  const says = `${mappings.used} of ${mappings.limit} kernel mappings are used. At the limit the kernel refuses all.`
  return [{ code: 'near-mappings', says }]
}

function refused({ at, log }: Alerted): Alert[] {
  const found = log.filter((entry) => entry.outcome !== 'done' && entry.at > at - refusedMilliseconds)
  const last = found.at(-1)
  if (last === undefined) return []
  const which = `the last was ${last.op}, ${last.answer}`
  const says = `Operations that were refused in the last five minutes: ${found.length}; ${which}.`
  return [{ code: 'refused', says }]
}

function leaked({ regions }: Alerted): Alert[] {
  const found = regions.filter((region) => region.leaked)
  if (found.length === 0) return []
  const bytes = found.reduce((sum, { size }) => sum + size, 0)
  const says = `Regions that were collected and never freed: ${found.length}, of ${formatBytes(bytes)}.`
  return [{ code: 'leaked', says }]
}

/** Categories that grow; else all of the memory, where it grows and no category does. */
function growing(history: readonly Moment[]): Alert[] {
  const last = history.at(-1)
  if (last === undefined) return []
  const ends = Array.from({ length: spans + 1 }, (_, i) => {
    const until = last.at - (spans - i) * spanMilliseconds
    return history.findLast(({ at }) => at <= until)
  })
  const grownBy = (readyAt: (moment: Moment) => number | undefined): number =>
    growthOf(ends.map((end) => (end === undefined ? undefined : readyAt(end))))
  const found = Object.keys(last.categories ?? {})
    .map((name) => ({ name, bytes: grownBy(({ categories = {} }) => ownNumber(categories, name)) }))
    .filter(({ bytes }) => bytes >= growthBytesLeast)
    .sort((a, b) => b.bytes - a.bytes)
  const minutes = (spans * spanMilliseconds) / 60_000
  const says = (what: string, bytes: number): string =>
    `Ready memory${what} has grown for ${minutes} minutes, by ${formatBytes(bytes)}.`
  if (found.length > 0) {
    return found.slice(0, growingMax).map(({ name, bytes }): Alert => {
      return { code: 'growth', of: name, says: says(` of ${shownName(name)}`, bytes) }
    })
  }
  const bytes = grownBy(({ ready }) => ready)
  return bytes > 0 ? [{ code: 'growth', says: says('', bytes) }] : []
}

/** The growth from the first figure to the last; 0 where it is not steady, is small, or a figure is not known. */
function growthOf(figures: readonly (number | undefined)[]): number {
  const isSteady = figures.every((bytes, i) => bytes !== undefined && (i === 0 || bytes > (figures[i - 1] ?? Infinity)))
  const [first = NaN, last = NaN] = [figures[0], figures.at(-1)]
  return isSteady && last >= growthLeast * first ? last - first : 0
}

/** A name can be that of a property of every object. */
const ownNumber = (of: Readonly<Record<string, number>>, name: string): number | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined

function kept({ stats: { pinned = 0 }, holds }: Alerted): Alert[] {
  const alerts: Alert[] = []
  if (pinned > 0) {
    const says = `${formatBytes(pinned)} are pinned by views that were moved. Give their buffers to region.reclaim.`
    alerts.push({ code: 'pinned', says })
  }
  const [oldest] = holds
  if (oldest !== undefined && oldest.age > oldMilliseconds) {
    const hours = Math.round(oldest.age / 3_600_000)
    alerts.push({
      code: 'old-hold',
      says: `A hold of ${shownName(oldest.region)} is ${hours} h old. The holds have its place.`,
    })
  }
  return alerts
}
