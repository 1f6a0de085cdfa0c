// The control groups that bound a Linux process's memory, of either version, up the tree. linux-limits.ts asks.
import type { GroupLimits } from '@memlayer/kernel'
import type { ReadHostFile } from './host-file.js'
import { groupMounts, type Mount } from './linux-mounts.js'
import { numberIn, wordAfter } from './linux-words.js'

/** How a hierarchy of control groups is laid out. */
interface Hierarchy {
  readonly version: 1 | 2
  /** The controller that its line of /proc/self/cgroup names; empty: that of version 2, which names none. */
  readonly controller: string
  /** Where it is usually mounted, for a process that can't read its mounts. */
  readonly roots: readonly string[]
  readonly limit: string
  /**
   * The file of the limit beyond which the kernel stalls the group and takes pages back. Null: version 1 has none.
   * Its memory.soft_limit_in_bytes is not one, because it acts only when the whole host is short of memory.
   */
  readonly high: string | null
  readonly used: string
  /** In memory.stat: the smallest limit up the tree, also where a container can't see the tree. Null: version 2. */
  readonly least: string | null
  /** In memory.stat: file pages that were not used for a while. It includes those of the groups below. */
  readonly cache: string
}

const hierarchies: readonly Hierarchy[] = [
  // Version 1 comes first, because it controls a process's memory on a host that has both versions.
  {
    version: 1,
    controller: 'memory',
    roots: ['/sys/fs/cgroup/memory'],
    limit: 'memory.limit_in_bytes',
    high: null,
    used: 'memory.usage_in_bytes',
    least: 'hierarchical_memory_limit',
    cache: 'total_inactive_file',
  },
  {
    version: 2,
    controller: '',
    roots: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'],
    limit: 'memory.max',
    high: 'memory.high',
    used: 'memory.current',
    least: null,
    cache: 'inactive_file',
  },
]

/** Version 1 writes 2^63 less a page when it has no limit. */
const NO_LIMIT = 2 ** 62

/** A limit of one group, and what the group has in use. */
interface Bound {
  readonly limit: number
  readonly used: number
}

/** Of the process's group and its parent groups, the limits that leave least room. */
export function groupLimits(read: ReadHostFile): GroupLimits {
  const groups = read('/proc/self/cgroup') ?? ''
  for (const hierarchy of hierarchies) {
    const path = groupIn(groups, hierarchy.controller)
    if (path === undefined) continue
    for (const mount of mountsOf(hierarchy, read)) {
      const found = limitsUnder(mount, path, hierarchy, read)
      if (found !== null) return found
    }
  }
  return { groupLimit: NaN, groupUsed: NaN }
}

/**
 * The folders that may be the process's own group of a version, and its parents'. The own one comes first, and not all
 * of them exist. `groups` is the text of /proc/self/cgroup.
 */
export function groupFolders(read: ReadHostFile, groups: string, version: 1 | 2): string[] {
  const hierarchy = hierarchies[version - 1] as Hierarchy
  const path = groupIn(groups, hierarchy.controller)
  return path === undefined ? [] : mountsOf(hierarchy, read).flatMap((mount) => foldersOf(mount, path))
}

function mountsOf({ version, roots }: Hierarchy, read: ReadHostFile): readonly Mount[] {
  const mounts = groupMounts(read, version)
  return mounts.length > 0 ? mounts : roots.map((point) => ({ point, group: '/' }))
}

/** The path of the process's group. A line has a number, controllers with commas between, and the path. */
function groupIn(groups: string, controller: string): string | undefined {
  for (const line of groups.split('\n')) {
    const [, controllers = ' ', ...path] = line.split(':')
    if (path.length > 0 && controllers.split(',').includes(controller)) return path.join(':')
  }
  return undefined
}

function limitsUnder(mount: Mount, path: string, hierarchy: Hierarchy, read: ReadHostFile): GroupLimits | null {
  const folders = foldersOf(mount, path)
  const max = tightest(folders, hierarchy.limit, hierarchy, read)
  const high = hierarchy.high === null ? null : tightest(folders, hierarchy.high, hierarchy, read)
  if (max === null && high === null) {
    // The root of a hierarchy has no limit, and so it has no file for one.
    const isRoot = path === '/' && read(`${mount.point}/cgroup.controllers`)?.includes('memory') === true
    return isRoot ? { groupLimit: Infinity, groupUsed: NaN } : null
  }
  const isHigh = high !== null && high.limit < Infinity
  return {
    groupLimit: max?.limit ?? NaN,
    groupUsed: (max?.limit === Infinity && isHigh ? high : max)?.used ?? NaN,
    ...(high === null ? {} : { groupHigh: high.limit, groupHighUsed: high.used }),
  }
}

/**
 * The group's folder and its parent folders. In a container the path may be the host's, and then only the last
 * folder exists. None is the group's where the mount shows another group, or where the path begins with `..`.
 */
function foldersOf({ point, group }: Mount, path: string): string[] {
  const isBelow = path === group || path.startsWith(`${group}/`)
  if (!isBelow && group !== '/') return []
  const names = (isBelow ? path.slice(group.length) : path).split('/').filter((name) => name !== '')
  if (names.includes('..')) return []
  return Array.from({ length: names.length + 1 }, (_, i) => [point, ...names.slice(0, names.length - i)].join('/'))
}

/** The limit that leaves least room. Null: no group tells one. */
function tightest(folders: readonly string[], file: string, hierarchy: Hierarchy, read: ReadHostFile): Bound | null {
  let least: Bound | null = null
  for (const folder of folders) {
    let limit = numberIn(read(`${folder}/${file}`))
    if (Number.isNaN(limit)) continue
    if (least === null && hierarchy.least !== null) limit = Math.min(limit, leastAbove(folder, hierarchy.least, read))
    const bound = { limit: limit >= NO_LIMIT ? Infinity : limit, used: usedIn(folder, hierarchy, read) }
    if (least === null || roomOf(bound) < roomOf(least)) least = bound
  }
  return least
}

/** The smallest limit of a group and its parents, as the kernel tells it. Infinity: it does not. */
function leastAbove(folder: string, name: string, read: ReadHostFile): number {
  const limit = numberIn(wordAfter(read(`${folder}/memory.stat`), `${name} `))
  return Number.isNaN(limit) ? Infinity : limit
}

/** A group that does not tell its use counts as empty. */
function roomOf({ limit, used }: Bound): number {
  return limit - (Number.isNaN(used) ? 0 : used)
}

function usedIn(folder: string, { used, cache }: Hierarchy, read: ReadHostFile): number {
  const inactive = numberIn(wordAfter(read(`${folder}/memory.stat`), `${cache} `))
  return Math.max(0, numberIn(read(`${folder}/${used}`)) - (Number.isNaN(inactive) ? 0 : inactive))
}
