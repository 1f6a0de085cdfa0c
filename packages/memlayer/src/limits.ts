// The limits on a process's memory as findings: what of them will bite, and what to do about it. What is not
// known is said to be not known, and is no reason to warn. doctor.ts asks.
import { formatBytes, type OS } from '@memlayer/core'
import type { Finding } from './doctor.js'

type Limits = NonNullable<ReturnType<NonNullable<NonNullable<OS['host']>['limits']>>>
type WindowsLimits = Extract<Limits, { readonly commitAvailable: number }>
type PosixLimits = Exclude<Limits, WindowsLimits>

/** A whole region of memory, in bytes: less than this and a limit is worth a warning. */
const PLENTY = 2 ** 30

/** The limits of this host. */
export function limitFindings(limits: Limits | null): Finding[] {
  if (limits === null)
    return [
      {
        level: 'ok',
        topic: 'limits',
        says: 'The limits on the memory of this process are not known: its backend does not tell.',
      },
    ]
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
  const where = '/sys/kernel/mm/transparent_hugepage/enabled'
  if (policy === undefined)
    return { level: 'ok', topic, says: `Whether the kernel gives huge pages is not known (${where} can't be read).` }
  if (policy === 'always')
    return { level: 'ok', topic, says: `The kernel gives huge pages wherever they fit (${where} is always).` }
  if (policy === 'madvise')
    return {
      level: 'ok',
      topic,
      says: `The kernel gives huge pages to who asks: sysHugePage does (${where} is madvise).`,
    }
  return {
    level: 'warning',
    topic,
    says: `The kernel gives no huge pages, and sysHugePage does nothing (${where} is never).`,
    hint: `Where they matter: echo madvise > ${where}.`,
  }
}

function mappings({ mappings: used, maxMappings: limit }: PosixLimits): Finding {
  const most = Number.isNaN(limit) ? 'how many it may have is not known' : `it may have ${limit}`
  const says = Number.isNaN(used)
    ? `How many kernel mappings the process has is not known; ${most} (vm.max_map_count).`
    : `The process has ${used} kernel mappings; ${most} (vm.max_map_count).`
  if (!(used > limit / 2)) return { level: 'ok', topic: 'mappings', says }
  return {
    level: 'warning',
    topic: 'mappings',
    says,
    hint: 'Raise vm.max_map_count with sysctl, or keep pages of one state side by side.',
  }
}

function addressSpace({ addressSpace: limit, addressSpaceUsed: used }: PosixLimits): Finding {
  if (Number.isNaN(limit))
    return { level: 'ok', topic: 'address space', says: 'The limit on address space is not known (ulimit -v).' }
  if (limit === Infinity)
    return { level: 'ok', topic: 'address space', says: 'Address space has no limit (ulimit -v).' }
  const says = `Address space is limited to ${formatBytes(limit)}, and ${bytes(used)} are in use (ulimit -v).`
  if (!(limit - used <= 64 * PLENTY)) return { level: 'ok', topic: 'address space', says }
  return {
    level: 'warning',
    topic: 'address space',
    says,
    hint: 'Reservations count in full: raise it with ulimit -v unlimited.',
  }
}

/** Only who locks what it maps, by mlockall(MCL_FUTURE) say, meets it: nothing of the layer locks memory. */
function lockedMemory({ lockedMemory: limit, lockedMemoryUsed: used = NaN }: PosixLimits): Finding {
  const topic = 'locked memory'
  const amount =
    limit === Infinity ? 'without limit' : Number.isNaN(limit) ? 'how much is not known' : `up to ${formatBytes(limit)}`
  if (!(used > 0))
    return { level: 'ok', topic, says: `Memory may be locked, ${amount} (ulimit -l). This process locks none.` }
  const says = `The process has locked ${formatBytes(used)}, and may lock memory ${amount} (ulimit -l).`
  if (!(limit - used <= PLENTY)) return { level: 'ok', topic, says }
  return {
    level: 'warning',
    topic,
    says,
    hint: 'Under mlockall whatever is mapped counts: raise it with ulimit -l, or lock less.',
  }
}

function overcommit({ overcommit: mode, commitLimit, committed }: PosixLimits): Finding {
  const topic = 'overcommit'
  if (Number.isNaN(mode))
    return {
      level: 'ok',
      topic,
      says: 'Whether the kernel counts what it hands out is not known (vm.overcommit_memory).',
    }
  if (mode !== 2)
    return {
      level: 'ok',
      topic,
      says: `The kernel hands out more memory than it has (vm.overcommit_memory is ${mode}): reservations cost nothing.`,
    }
  const says = `The kernel counts what it hands out (vm.overcommit_memory is 2): ${bytes(committed)} of ${bytes(commitLimit)} are committed.`
  if (!(commitLimit - committed <= PLENTY)) return { level: 'ok', topic, says }
  return {
    level: 'warning',
    topic,
    says,
    hint: 'What is mapped counts before it is touched: map less ahead, or raise vm.overcommit_ratio.',
  }
}

function group({ groupLimit: limit, groupUsed: used }: PosixLimits): Finding {
  const topic = 'control group'
  if (Number.isNaN(limit)) return { level: 'ok', topic, says: "The control group's limit on memory is not known." }
  if (limit === Infinity) return { level: 'ok', topic, says: 'No control group limits the memory of this process.' }
  const says = `Its control group has ${bytes(used)} of ${formatBytes(limit)}, file pages that can be taken back not counted.`
  if (!(used >= 0.8 * limit)) return { level: 'ok', topic, says }
  return {
    level: 'warning',
    topic,
    says,
    hint: 'Beyond it the kernel ends the process: give pages back with sysUnused, or raise memory.max (memory.limit_in_bytes in the first version).',
  }
}

function commit({ commitLimit, commitAvailable }: WindowsLimits): Finding {
  const topic = 'commit limit'
  const says = `Of the commit limit, memory and page files together or the job's, of ${bytes(commitLimit)}, ${bytes(commitAvailable)} are left.`
  if (!(commitAvailable < PLENTY)) return { level: 'ok', topic, says }
  return {
    level: 'warning',
    topic,
    says,
    hint: 'sysUsed commits before anything is touched: enlarge the page file, or use less of what is reserved.',
  }
}

function windowsAddressSpace({ addressSpace: limit, addressSpaceAvailable: available }: WindowsLimits): Finding {
  const says = `Of an address space of ${bytes(limit)}, ${bytes(available)} are neither reserved nor committed.`
  if (!(available < 64 * PLENTY)) return { level: 'ok', topic: 'address space', says }
  return {
    level: 'warning',
    topic: 'address space',
    says,
    hint: 'Reserve less, or free what is reserved and not in use.',
  }
}

function bytes(n: number): string {
  return Number.isNaN(n) ? 'an unknown amount' : formatBytes(n)
}
