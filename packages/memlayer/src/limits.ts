// The limits on a process's memory as findings. A limit that is close gives a warning. A limit that is not
// known gives none. doctor.ts asks.
import { formatBytes, type OS } from '@memlayer/core'
import { ok, warning, type Finding } from './finding.js'

type Limits = NonNullable<ReturnType<NonNullable<NonNullable<OS['host']>['limits']>>>
type WindowsLimits = Extract<Limits, { readonly commitAvailable: number }>
type PosixLimits = Exclude<Limits, WindowsLimits>

/** Room for one whole region. A limit that leaves less gives a warning. */
const roomBytesMin = 2 ** 30
/** Room for reservations. A limit that leaves less address space gives a warning. */
const addressRoomBytesMin = 64 * roomBytesMin

/** The limits of this host; null: its backend does not report them. */
export function limitFindings(limits: Limits | null): Finding[] {
  if (limits === null) return [ok('limits', "The backend does not report the limits on this process's memory.")]
  if ('commitAvailable' in limits) return [commit(limits), windowsAddressSpace(limits)]
  return [
    hugePages(limits),
    mappings(limits),
    addressSpace(limits),
    lockedMemory(limits),
    overcommit(limits),
    group(limits),
  ]
}

function hugePages({ hugePages: policy }: PosixLimits): Finding {
  const topic = 'huge pages'
  const file = '/sys/kernel/mm/transparent_hugepage/enabled'
  if (policy === undefined) return ok(topic, `The kernel's policy for huge pages is not known (${file} can't be read).`)
  const setting = `${file} is ${policy}`
  if (policy === 'always') return ok(topic, `The kernel gives huge pages wherever they fit (${setting}).`)
  if (policy === 'madvise')
    return ok(topic, `The kernel gives huge pages where sysHugePage asks for them (${setting}).`)
  const says = `The kernel gives no huge pages, so sysHugePage does nothing (${setting}).`
  return warning(topic, says, `Allow them where they matter: echo madvise > ${file}.`)
}

function mappings({ mappings: used, maxMappings: limit }: PosixLimits): Finding {
  const has = Number.isNaN(used)
    ? 'The number of kernel mappings is not known.'
    : `The process has ${used} kernel mappings.`
  const says = `${has} The limit is ${Number.isNaN(limit) ? 'not known' : limit} (vm.max_map_count).`
  if (!(used > limit / 2)) return ok('mappings', says)
  const hint = 'Raise vm.max_map_count with sysctl, or keep pages of one state side by side.'
  return warning('mappings', says, hint)
}

function addressSpace({ addressSpace: limit, addressSpaceUsed: used }: PosixLimits): Finding {
  const topic = 'address space'
  const limited = limitText('address space', limit, '-v')
  if (!Number.isFinite(limit)) return ok(topic, limited)
  const says = `${limited} The process uses ${bytes(used)}.`
  if (!(limit - used <= addressRoomBytesMin)) return ok(topic, says)
  return warning(topic, says, 'Raise the limit with ulimit -v unlimited, because every reservation counts in full.')
}

/** The layer locks no memory. The limit matters where a program does, for example by mlockall(MCL_FUTURE). */
function lockedMemory({ lockedMemory: limit, lockedMemoryUsed: used = NaN }: PosixLimits): Finding {
  const topic = 'locked memory'
  const limited = limitText(topic, limit, '-l')
  if (!(used > 0)) {
    const locks = Number.isNaN(used)
      ? 'How much the process has locked is not known.'
      : 'The process has locked no memory.'
    return ok(topic, `${limited} ${locks}`)
  }
  const says = `${limited} The process has locked ${formatBytes(used)}.`
  if (!(limit - used <= roomBytesMin)) return ok(topic, says)
  return warning(topic, says, 'Raise the limit with ulimit -l, or lock less. Under mlockall every mapping counts.')
}

function overcommit({ overcommit: mode, commitLimit, committed }: PosixLimits): Finding {
  const topic = 'overcommit'
  if (Number.isNaN(mode)) return ok(topic, "The kernel's overcommit mode is not known (vm.overcommit_memory).")
  const setting = `vm.overcommit_memory is ${mode}`
  if (mode !== 2)
    return ok(topic, `The kernel hands out more memory than it has, so reservations cost nothing (${setting}).`)
  const counts = `The kernel counts all memory that it hands out (${setting}).`
  const says = `${counts} ${bytes(committed)} of ${bytes(commitLimit)} are committed.`
  if (!(commitLimit - committed <= roomBytesMin)) return ok(topic, says)
  const hint = 'Map later, or raise vm.overcommit_ratio. A mapping counts before its first touch.'
  return warning(topic, says, hint)
}

function group({ groupLimit: limit, groupUsed: used }: PosixLimits): Finding {
  const topic = 'control group'
  if (Number.isNaN(limit)) return ok(topic, "The control group's limit on memory is not known.")
  if (limit === Infinity) return ok(topic, 'No control group limits the memory of this process.')
  const uses = `The control group uses ${bytes(used)} of ${formatBytes(limit)}.`
  const says = `${uses} This leaves out file pages that the kernel can take back.`
  if (!(used >= 0.8 * limit)) return ok(topic, says)
  const raise = 'raise memory.max (memory.limit_in_bytes in version 1)'
  const hint = `Give pages back with sysUnused, or ${raise}. The kernel ends a process that exceeds the limit.`
  return warning(topic, says, hint)
}

function commit({ commitLimit, commitAvailable }: WindowsLimits): Finding {
  const topic = 'commit limit'
  const limit = `The commit limit is ${bytes(commitLimit)} (memory and page files, or the job's limit).`
  const says = `${limit} ${bytes(commitAvailable)} are left.`
  if (!(commitAvailable < roomBytesMin)) return ok(topic, says)
  return warning(topic, says, 'Enlarge the page file, or use less memory. sysUsed commits before the first touch.')
}

function windowsAddressSpace({ addressSpace: limit, addressSpaceAvailable: available }: WindowsLimits): Finding {
  const topic = 'address space'
  const says = `The address space has ${bytes(limit)}. ${bytes(available)} are neither reserved nor committed.`
  if (!(available < addressRoomBytesMin)) return ok(topic, says)
  return warning(topic, says, 'Reserve less, or free ranges that are not in use.')
}

/** A limit that `ulimit` of the shell sets. */
function limitText(what: string, limit: number, option: '-v' | '-l'): string {
  if (Number.isNaN(limit)) return `The limit on ${what} is not known (ulimit ${option}).`
  if (limit === Infinity) return `There is no limit on ${what} (ulimit ${option}).`
  return `The limit on ${what} is ${formatBytes(limit)} (ulimit ${option}).`
}

function bytes(n: number): string {
  return Number.isNaN(n) ? 'an unknown amount' : formatBytes(n)
}
