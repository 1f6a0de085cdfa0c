// The limits on a Linux process's memory, read from /proc and the control group's files. They are for the text of
// an error and for doctor, because this reads a dozen files. What can't be read is NaN.
import type { PosixLimits, ProcessLimits } from '@memlayer/kernel'
import type { ReadHostFile } from './host-file.js'
import { groupLimits } from './linux-groups.js'
import { kibibytesIn, linesIn, numberIn, wordAfter } from './linux-words.js'

/** The limits in force now. */
export function linuxLimits(read: ReadHostFile): PosixLimits {
  const limits = read('/proc/self/limits')
  const meminfo = read('/proc/meminfo')
  const status = read('/proc/self/status')
  let mappings: number | undefined
  return {
    addressSpace: softLimit(limits, 'Max address space'),
    addressSpaceUsed: kibibytesIn(status, 'VmSize'),
    dataSize: softLimit(limits, 'Max data size'),
    dataSizeUsed: kibibytesIn(status, 'VmData'),
    lockedMemory: softLimit(limits, 'Max locked memory'),
    lockedMemoryUsed: kibibytesIn(status, 'VmLck'),
    maxMappings: maxMappingsIn(read),
    // The kernel writes a line for each mapping, so they are counted only when they are asked for.
    get mappings(): number {
      return (mappings ??= mappingsIn(read))
    },
    overcommit: numberIn(read('/proc/sys/vm/overcommit_memory')),
    commitLimit: kibibytesIn(meminfo, 'CommitLimit'),
    committed: kibibytesIn(meminfo, 'Committed_AS'),
    hostMemory: kibibytesIn(meminfo, 'MemTotal'),
    hostSwap: kibibytesIn(meminfo, 'SwapTotal'),
    ...groupLimits(read),
    ...hugePagePolicy(read('/sys/kernel/mm/transparent_hugepage/enabled'), status),
    descriptors: softLimit(limits, 'Max open files'),
    // 2 is SECCOMP_MODE_FILTER.
    ...(wordAfter(status, 'Seccomp:') === '2' ? { filtersCalls: true } : {}),
  }
}

/** The mappings that the process has, and `vm.max_map_count`. */
export function linuxMappings(read: ReadHostFile): { readonly used: number; readonly limit: number } {
  return { used: mappingsIn(read), limit: maxMappingsIn(read) }
}

/** RLIMIT_AS and RLIMIT_DATA, with what the process has of each. NaN: a file can't be read now. */
export function linuxProcessLimits(read: ReadHostFile): ProcessLimits {
  const limits = read('/proc/self/limits')
  const space = softLimit(limits, 'Max address space')
  const data = softLimit(limits, 'Max data size')
  const status = space === Infinity && data === Infinity ? null : read('/proc/self/status')
  return {
    space: { used: kibibytesIn(status, 'VmSize'), limit: space },
    data: { used: kibibytesIn(status, 'VmData'), limit: data },
  }
}

const mappingsIn = (read: ReadHostFile): number => linesIn(read('/proc/self/maps'))
const maxMappingsIn = (read: ReadHostFile): number => numberIn(read('/proc/sys/vm/max_map_count'))

function softLimit(limits: string | null, name: string): number {
  const word = wordAfter(limits, name)
  return word === 'unlimited' ? Infinity : numberIn(word)
}

/** The host's policy stands in brackets. A process may have switched huge pages off for itself and its children. */
function hugePagePolicy(
  policies: string | null,
  status: string | null,
): Pick<PosixLimits, 'hugePages' | 'hugePagesDisabled'> {
  const hugePages = (['always', 'madvise', 'never'] as const).find((policy) => policies?.includes(`[${policy}]`))
  // THP_enabled came with Linux 5.0. It is also 0 in a kernel without huge pages, which has no policy.
  if (hugePages === undefined) return {}
  if (wordAfter(status, 'THP_enabled:') === '0') return { hugePages: 'never', hugePagesDisabled: true }
  return { hugePages }
}
