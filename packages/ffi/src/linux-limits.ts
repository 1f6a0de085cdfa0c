// The limits on a Linux process's memory, read from /proc and the control group's files. They are for the text of
// an error and for doctor, because this reads a dozen files. What can't be read is NaN.
import type { PosixLimits, ProcessLimits } from '@memlayer/kernel'
import type { ReadHostFile } from './host-file.js'

/** The limits in force now. */
export function linuxLimits(read: ReadHostFile): PosixLimits {
  const limits = read('/proc/self/limits')
  const meminfo = read('/proc/meminfo')
  const status = read('/proc/self/status')
  // The policy in force stands in brackets.
  const policies = read('/sys/kernel/mm/transparent_hugepage/enabled') ?? ''
  const hugePages = (['always', 'madvise', 'never'] as const).find((policy) => policies.includes(`[${policy}]`))
  return {
    addressSpace: softLimit(limits, 'Max address space'),
    addressSpaceUsed: kibibytes(status, 'VmSize'),
    dataSize: softLimit(limits, 'Max data size'),
    lockedMemory: softLimit(limits, 'Max locked memory'),
    lockedMemoryUsed: kibibytes(status, 'VmLck'),
    maxMappings: number(read('/proc/sys/vm/max_map_count')),
    mappings: countLines(read('/proc/self/maps')),
    overcommit: number(read('/proc/sys/vm/overcommit_memory')),
    commitLimit: kibibytes(meminfo, 'CommitLimit'),
    committed: kibibytes(meminfo, 'Committed_AS'),
    ...groupLimits(read),
    ...(hugePages === undefined ? {} : { hugePages }),
  }
}

/** The mappings that the process has, and `vm.max_map_count`. */
export function linuxMappings(read: ReadHostFile): { readonly used: number; readonly limit: number } {
  return { used: countLines(read('/proc/self/maps')), limit: number(read('/proc/sys/vm/max_map_count')) }
}

/** RLIMIT_AS and RLIMIT_DATA, with what the process has of each. What can't be read bounds nothing. */
export function linuxProcessLimits(read: ReadHostFile): ProcessLimits {
  const limits = read('/proc/self/limits')
  const space = softLimit(limits, 'Max address space')
  const data = softLimit(limits, 'Max data size')
  if (!Number.isFinite(space) && !Number.isFinite(data)) return unlimited
  const status = read('/proc/self/status')
  return {
    space: { used: kibibytes(status, 'VmSize'), limit: Number.isNaN(space) ? Infinity : space },
    data: { used: kibibytes(status, 'VmData'), limit: Number.isNaN(data) ? Infinity : data },
  }
}

const unlimited: ProcessLimits = { space: { used: NaN, limit: Infinity }, data: { used: NaN, limit: Infinity } }

/** A control group writes `max` when it has no limit. */
function number(text: string | null): number {
  if (text === null || text.trim() === '') return NaN
  return text.trim() === 'max' ? Infinity : Number(text)
}

function softLimit(limits: string | null, name: string): number {
  const word = wordAfter(limits, name)
  return word === 'unlimited' ? Infinity : number(word)
}

function kibibytes(text: string | null, name: string): number {
  const word = wordAfter(text, `${name}:`)
  return word === null ? NaN : Number(word) * 1024
}

// No regular expression here: an engine that has to compile one at the very end of the stack ends the process.

/** The word after `name`, on the line that begins with it; null: there is no such line. */
function wordAfter(text: string | null, name: string): string | null {
  const line = (text ?? '').split('\n').find((one) => one.startsWith(name))
  return line?.slice(name.length).trim().split(' ')[0] ?? null
}

function countLines(text: string | null): number {
  if (text === null) return NaN
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}

/** How a hierarchy of control groups is laid out. */
interface Hierarchy {
  /** The controller that its line of /proc/self/cgroup names; empty: that of version 2, which names none. */
  readonly controller: string
  readonly roots: readonly string[]
  readonly limit: string
  readonly used: string
  /** In memory.stat: file pages that were not used for a while. It includes those of the groups below. */
  readonly cache: string
}

const hierarchies: readonly Hierarchy[] = [
  // Version 1 comes first, because it controls a process's memory on a host that has both versions.
  {
    controller: 'memory',
    roots: ['/sys/fs/cgroup/memory'],
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    cache: 'total_inactive_file',
  },
  {
    controller: '',
    roots: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'],
    limit: 'memory.max',
    used: 'memory.current',
    cache: 'inactive_file',
  },
]

/** Version 1 writes 2^63 less a page when it has no limit. */
const NO_LIMIT = 2 ** 62

type GroupLimits = Pick<PosixLimits, 'groupLimit' | 'groupUsed'>

/** The path of the process's group. A line has a number, controllers with commas between, and the path. */
function groupIn(groups: string, controller: string): string | undefined {
  for (const line of groups.split('\n')) {
    const [, controllers = ' ', ...path] = line.split(':')
    if (controllers.split(',').includes(controller)) return path.join(':')
  }
  return undefined
}

/** The limits of the process's group and of its parent groups: the smallest limit counts. */
function groupLimits(read: ReadHostFile): GroupLimits {
  const groups = read('/proc/self/cgroup')
  for (const hierarchy of hierarchies) {
    const path = groupIn(groups ?? '', hierarchy.controller)
    if (path === undefined) continue
    for (const root of hierarchy.roots) {
      const found = foldersOf(root, path)
        .map((folder) => limitsIn(folder, hierarchy, read))
        .filter(({ groupLimit }) => !Number.isNaN(groupLimit))
      const [first, ...others] = found
      if (first !== undefined)
        return others.reduce((least, one) => (one.groupLimit < least.groupLimit ? one : least), first)
      // The root of a hierarchy has no limit, and so it has no file for one.
      if (path === '/' && read(`${root}/cgroup.controllers`)?.includes('memory') === true)
        return { groupLimit: Infinity, groupUsed: NaN }
    }
  }
  return { groupLimit: NaN, groupUsed: NaN }
}

/**
 * The group's folder and its parent folders. In a container the path may be the host's, and then only the last
 * folder exists.
 */
function foldersOf(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '')
  return Array.from({ length: names.length + 1 }, (_, i) => [root, ...names.slice(0, names.length - i)].join('/'))
}

function limitsIn(folder: string, { limit, used, cache }: Hierarchy, read: ReadHostFile): GroupLimits {
  const most = number(read(`${folder}/${limit}`))
  if (Number.isNaN(most)) return { groupLimit: NaN, groupUsed: NaN }
  const inactive = Number(wordAfter(read(`${folder}/memory.stat`), `${cache} `) ?? 0)
  return {
    groupLimit: most >= NO_LIMIT ? Infinity : most,
    groupUsed: Math.max(0, number(read(`${folder}/${used}`)) - inactive),
  }
}
